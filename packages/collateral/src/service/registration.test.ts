import assert from "node:assert/strict";
import { test } from "node:test";
import { CollateralError } from "../errors.ts";
import type { StoredPlatform, StoredRegistration } from "../store/store.ts";
import { pckcert, registrationOf, serviceBench, statusOf } from "./testing/service-bench.ts";
import { DOUBLE_FMSPC } from "./testing/upstream-double.ts";

const MISSING = [
  { tcbm: `${"05".repeat(16)}0D00`, certificate: undefined },
  { tcbm: `${"02".repeat(16)}0D00`, certificate: "certificate 2" },
];
const policy = (classId: string) =>
  [
    "e30",
    Buffer.from(
      JSON.stringify({ policy_payload: JSON.stringify({ policy_array: [{ environment: { class_id: classId } }] }) }),
    ).toString("base64url"),
    "signature",
  ].join(".");

test("registration fetches certificates and every document a verifier needs", async () => {
  const { service, upstream } = serviceBench("REQ");
  await service.register(registrationOf(1), "all");
  assert.deepEqual([...upstream.calls].sort(), [
    "identity/QE/early/v3",
    "identity/QE/early/v4",
    "identity/QE/standard/v3",
    "identity/QE/standard/v4",
    "identity/QVE/early/v3",
    "identity/QVE/early/v4",
    "identity/QVE/standard/v3",
    "identity/QVE/standard/v4",
    "identity/TD_QE/early/v4",
    "identity/TD_QE/standard/v4",
    "pck-crl/platform",
    "pck-crl/processor",
    `pckcerts/${pckcert(1).encryptedPpid?.slice(0, 16)}`,
    "root-ca-crl",
    `tcb-info/sgx/${DOUBLE_FMSPC}/early/v4`,
    `tcb-info/sgx/${DOUBLE_FMSPC}/standard/v4`,
    `tcb-info/tdx/${DOUBLE_FMSPC}/early/v4`,
    `tcb-info/tdx/${DOUBLE_FMSPC}/standard/v4`,
  ]);
  await service.register(registrationOf(1), "all");
  assert.equal(upstream.calls.length, 18);
});

test("documents that the upstream has not do not stop a registration", async () => {
  const { service, upstream } = serviceBench("LAZY");
  for (const key of ["identity/QVE/standard/v3", "identity/QVE/standard/v4", "pck-crl/processor"]) {
    upstream.failures.set(key, new CollateralError("NOT_FOUND", "none"));
  }
  await service.register(registrationOf(1), "standard");
});

test("a manifest goes before raw TCB and encrypted PPID; another one is fetched anew", async () => {
  const { service, upstream, store } = serviceBench("LAZY");
  await service.register(registrationOf(1, { platformManifest: "AA" }), "standard");
  await service.register(registrationOf(1, { platformManifest: "AA" }), "standard");
  await service.register(registrationOf(1, { platformManifest: "BB" }), "standard");
  assert.deepEqual(
    upstream.calls.filter((call) => call.startsWith("pckcerts/")),
    ["pckcerts/AA", "pckcerts/BB"],
  );
  const { qeId, pceId } = registrationOf(1);
  assert.deepEqual(store.platform({ qeId, pceId }), {
    qeId,
    pceId,
    platformManifest: "BB",
    encryptedPpid: "",
    fmspc: DOUBLE_FMSPC,
    ca: "platform",
  });
});

test("REQ: a registration that failed stays in the queue, one that was done does not", async () => {
  const { service, upstream } = serviceBench("REQ");
  upstream.failure = new CollateralError("SOURCE_UNREACHABLE", "down");
  assert.equal(await statusOf(() => service.register(registrationOf(1), "standard")), 502);
  upstream.failure = undefined;
  await service.register(registrationOf(2), "standard");
  const queue = (await service.platforms("reg")) as readonly StoredRegistration[];
  assert.deepEqual(queue, [{ ...registrationOf(1), state: "new" }]);
  assert.deepEqual(await service.platforms("reg"), []);
});

test("OFFLINE: what is not cached is queued once, and handed over once", async () => {
  const { service } = serviceBench("OFFLINE");
  await service.register(registrationOf(1), "standard");
  await service.register(registrationOf(1), "standard");
  assert.equal((await service.platforms("reg")).length, 1);
  assert.deepEqual(await service.platforms("reg"), []);
});

test("REQ queues TCBs whose certificates are not available; LAZY queues none and keeps no choice", async () => {
  const req = serviceBench("REQ");
  req.upstream.certificates = MISSING;
  await req.service.register(registrationOf(1), "standard");
  const queue = (await req.service.platforms("reg_na")) as readonly StoredRegistration[];
  assert.deepEqual(
    queue.map(({ cpuSvn, pceSvn, state }) => ({ cpuSvn, pceSvn, state })),
    [{ cpuSvn: "05".repeat(16), pceSvn: "0D00", state: "not-available" }],
  );
  assert.equal(req.store.rawTcbs(registrationOf(1)).length, 1);

  const lazy = serviceBench("LAZY");
  lazy.upstream.certificates = MISSING;
  assert.equal((await lazy.service.get(pckcert(1))).answer.certificate, "certificate 2");
  assert.deepEqual(await lazy.service.platforms("reg_na"), []);
  assert.deepEqual(lazy.store.rawTcbs(pckcert(1)), []);
});

test("a platform none of whose certificates is available is 404 in LAZY and REQ", async () => {
  for (const mode of ["LAZY", "REQ"] as const) {
    const { service, upstream } = serviceBench(mode);
    upstream.certificates = MISSING.slice(0, 1);
    assert.equal(await statusOf(() => service.register(registrationOf(1), "standard")), 404);
  }
});

test("cached platforms are listed by FMSPC, or all of them", async () => {
  const { service } = serviceBench("LAZY");
  for (const n of [1, 2, 3]) await service.register(registrationOf(n), "standard");
  const listed = (await service.platforms([])) as readonly StoredPlatform[];
  assert.deepEqual(
    listed.map(({ qeId }) => qeId),
    [1, 2, 3].map((n) => registrationOf(n).qeId),
  );
  assert.equal((await service.platforms([DOUBLE_FMSPC])).length, 3);
  assert.equal((await service.platforms(["FFFFFFFFFFFF"])).length, 0);
});

test("of the raw TCBs that a client makes up a bounded number is kept", async () => {
  const { service, store } = serviceBench("LAZY", { limits: { rawTcbs: 4 } });
  await service.register(registrationOf(1), "standard");
  for (let n = 0; n < 20; n++) {
    const cpuSvn = `06${n.toString(16).padStart(30, "0")}`.toUpperCase();
    assert.equal(await statusOf(() => service.get(pckcert(1, { cpuSvn }))), 200);
  }
  assert.equal(store.rawTcbs(pckcert(1)).length, 4);
});

test("a policy is filed by its digest; one FMSPC has one default", async () => {
  const { service } = serviceBench("OFFLINE");
  const sgx = policy("3123EC35-8D38-4EA5-87A5-D6C48B567570");
  const tdx = policy("f708b97f-0fb2-4e6b-8b03-8a5bcd1221d3");
  assert.equal(await statusOf(() => service.policies(DOUBLE_FMSPC)), 404);
  const id = await service.putPolicy({ isDefault: true, fmspc: DOUBLE_FMSPC.toLowerCase(), policy: sgx });
  assert.match(id, /^[0-9a-f]{96}$/);
  assert.deepEqual(await service.policies(DOUBLE_FMSPC), [sgx]);
  await service.putPolicy({ isDefault: true, fmspc: DOUBLE_FMSPC, policy: tdx });
  assert.deepEqual(await service.policies(DOUBLE_FMSPC.toLowerCase()), [tdx]);
  for (const bad of ["", "a.b.c", policy("00000000-0000-0000-0000-000000000000")]) {
    assert.equal(await statusOf(() => service.putPolicy({ isDefault: true, fmspc: DOUBLE_FMSPC, policy: bad })), 400);
  }
});
