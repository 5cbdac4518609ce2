import assert from "node:assert/strict";
import { constants, createPublicKey, publicEncrypt, X509Certificate } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { nodeFileSystem, StateDirectory, type StateFileSystem } from "@confcom/quoting";
import { CrashingFileSystem, SURVIVALS, type Survival } from "@confcom/quoting/testing";
import type { CollateralRequest } from "../request.ts";
import type { PckCertificates } from "../source.ts";
import type { SoftwareUpstream } from "./software-upstream.ts";
import { NOW, openTestUpstream, pckKey, TestPlatform } from "./testing/software-keys.ts";

const OPTIONS = { signal: new AbortController().signal };
const DAY_MS = 24 * 60 * 60 * 1000;

function directory(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "confcom-software-upstream-"));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return join(path, "software-authority");
}

function register(upstream: SoftwareUpstream, platform: TestPlatform): Promise<PckCertificates> {
  return upstream.pckCertificates({ platformManifest: platform.manifest }, "0000", OPTIONS);
}

function encryptTo(upstream: SoftwareUpstream, ppid: Uint8Array): string {
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64url");
  const { n, e } = upstream.ppidEncryptionKey;
  const key = createPublicKey({ key: { kty: "RSA", n: text(n), e: text(e) }, format: "jwk" });
  return publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" }, ppid).toString("hex");
}

test("a platform that registers gets a certificate for each of its TCBs, and every one chains to the one root", async (t) => {
  const upstream = await openTestUpstream(directory(t));
  for (const byte of [1, 2]) {
    const answer = await register(upstream, new TestPlatform(byte, { default: `d${byte}`, downgraded: `o${byte}` }));
    assert.deepEqual([answer.ca, answer.fmspc], ["platform", "C0FC0A000000"]);
    assert.deepEqual(
      answer.certificates.map(({ tcbm }) => tcbm),
      ["4820F3376AE6B2F2034D3B7A4B48A7781000", "64EA4F3FA0030C36383C322D4F3A8D4F1000"],
    );
    const [issuer, root] = (answer.issuerChain.match(/-----BEGIN[\s\S]*?-----END CERTIFICATE-----\n/g) ?? []).map(
      (pem) => new X509Certificate(pem),
    ) as [X509Certificate, X509Certificate];
    assert.equal(root.toString(), upstream.rootCertificatePem);
    for (const [i, { certificate }] of answer.certificates.entries()) {
      const leaf = new X509Certificate(certificate ?? "");
      assert.ok(leaf.verify(issuer.publicKey));
      const { x } = leaf.publicKey.export({ format: "jwk" });
      const expected = pckKey(`${i === 0 ? "d" : "o"}${byte}`).point.subarray(0, 32);
      assert.equal(x, Buffer.from(expected).toString("base64url"));
    }
  }
  assert.equal(upstream.platformCount, 2);
});

test("registering again, after a restart too, gives the same certificates and writes nothing", async (t) => {
  const path = directory(t);
  const platform = new TestPlatform(1, { default: "d", downgraded: "o" });
  const first = await register(await openTestUpstream(path), platform);
  const files = () =>
    readdirSync(path)
      .sort()
      .map((name) => [name, readFileSync(join(path, name), "utf8")]);
  const before = files();
  const restarted = await openTestUpstream(path);
  assert.equal(restarted.platformCount, 1);
  assert.deepEqual(await register(restarted, platform), first);
  assert.deepEqual(files(), before);
  assert.equal(statSync(path).mode & 0o777, 0o700);
  for (const [name] of before) assert.equal(statSync(join(path, name as string)).mode & 0o777, 0o600);
});

test("a known PPID with another key at a known TCB is refused, and the record stays", async (t) => {
  const upstream = await openTestUpstream(directory(t));
  const first = await register(upstream, new TestPlatform(1, { default: "d", downgraded: "o" }));
  for (const tcbs of [{ default: "other" }, { default: "d", downgraded: "other" }]) {
    await assert.rejects(register(upstream, new TestPlatform(1, tcbs)), { code: "PLATFORM_CONFLICT" });
  }
  assert.deepEqual(await register(upstream, new TestPlatform(1, { default: "d", downgraded: "o" })), first);
});

test("nobody adds a key of his own to another's PPID at a TCB not seen yet", async (t) => {
  const upstream = await openTestUpstream(directory(t));
  await register(upstream, new TestPlatform(1, { default: "d" }));
  await assert.rejects(register(upstream, new TestPlatform(1, { upgraded: "mine" })), {
    code: "PLATFORM_CONFLICT",
    message: /the keys cannot be compared/,
  });
});

test("a platform that was upgraded adds its new TCB and keeps the certificates it had", async (t) => {
  const upstream = await openTestUpstream(directory(t));
  const first = await register(upstream, new TestPlatform(1, { default: "d" }));
  const second = await register(upstream, new TestPlatform(1, { upgraded: "u", default: "d" }));
  assert.equal(second.certificates.length, 2);
  assert.deepEqual(second.certificates[0], first.certificates[0]);
  const back = await register(upstream, new TestPlatform(1, { default: "d" }));
  assert.deepEqual(back, second);
});

test("a platform that registered is known by its encrypted PPID; another is not", async (t) => {
  const upstream = await openTestUpstream(directory(t));
  const platform = new TestPlatform(1, { default: "d" });
  const registered = await register(upstream, platform);
  const encryptedPpid = encryptTo(upstream, platform.ppid);
  assert.deepEqual(await upstream.pckCertificates({ encryptedPpid }, "0000", OPTIONS), registered);
  const request = { kind: "pck-certificate", qeId: "00", pceId: "0000", pceSvn: "1000", encryptedPpid } as const;
  const cpuSvn = "4820F3376AE6B2F2034D3B7A4B48A778";
  const { answer } = await upstream.fetch({ ...request, cpuSvn }, OPTIONS);
  assert.equal(answer.certificate, registered.certificates[0]?.certificate);
  const other = upstream.fetch({ ...request, cpuSvn: "53".repeat(16) }, OPTIONS);
  await assert.rejects(other, { code: "CERTIFICATES_UNAVAILABLE" });
  const stranger = { encryptedPpid: encryptTo(upstream, new Uint8Array(16).fill(9)) };
  await assert.rejects(upstream.pckCertificates(stranger, "0000", OPTIONS), { code: "PLATFORM_UNKNOWN" });
  const garbage = { encryptedPpid: "00".repeat(384) };
  await assert.rejects(upstream.pckCertificates(garbage, "0000", OPTIONS), { code: "SOURCE_REFUSED" });
});

test("TCBs that the software platform does not have are refused, and the platform is not recorded", async (t) => {
  const upstream = await openTestUpstream(directory(t));
  const platform = new TestPlatform(1, { default: "d" });
  const odd = new TestPlatform(1, { default: "d" });
  Object.assign(odd.keys[0] as object, { pceSvn: 15 });
  await assert.rejects(register(upstream, odd), { code: "SOURCE_REFUSED", message: /is no TCB level/ });
  assert.equal(upstream.platformCount, 0);
  await assert.rejects(upstream.pckCertificates({ platformManifest: platform.manifest }, "0100", OPTIONS), {
    code: "NOT_FOUND",
  });
});

test("the record is bounded: one platform more is refused, those that are known are served on", async (t) => {
  const upstream = await openTestUpstream(directory(t), { maxPlatforms: 2 });
  for (const byte of [1, 2]) await register(upstream, new TestPlatform(byte, { default: "d" }));
  await assert.rejects(register(upstream, new TestPlatform(3, { default: "d" })), {
    code: "SOURCE_REFUSED",
    message: /has its 2 platforms/,
  });
  await register(upstream, new TestPlatform(2, { upgraded: "u", default: "d" }));
});

test("a damaged record is refused by name and not replaced; the other platforms are served", async (t) => {
  const path = directory(t);
  const upstream = await openTestUpstream(path);
  await register(upstream, new TestPlatform(1, { default: "d" }));
  await register(upstream, new TestPlatform(2, { default: "d" }));
  const file = join(path, `platform-${"01".repeat(16)}.json`);
  writeFileSync(file, readFileSync(file, "utf8").replace("1", "2"));
  const damaged = readFileSync(file, "utf8");
  await assert.rejects(register(upstream, new TestPlatform(1, { default: "d" })), {
    code: "PLATFORM_CONFLICT",
    message: /is damaged/,
  });
  assert.equal(readFileSync(file, "utf8"), damaged);
  await register(upstream, new TestPlatform(2, { default: "d" }));
});

test("a certificate about to end is issued anew for the same key", async (t) => {
  let now = NOW;
  const upstream = await openTestUpstream(directory(t), { now: () => now });
  const platform = new TestPlatform(1, { default: "d" });
  const first = await register(upstream, platform);
  now = new Date(NOW.getTime() + (7 * 365 - 30) * DAY_MS);
  const second = await register(upstream, platform);
  assert.notEqual(second.certificates[0]?.certificate, first.certificates[0]?.certificate);
  const keys = [first, second].map(({ certificates }) => new X509Certificate(certificates[0]?.certificate ?? ""));
  assert.ok(keys[0]?.publicKey.equals(keys[1]?.publicKey as never));
});

test("stopped after any one operation of a registration, the platform is registered or not, and registers again", async () => {
  const platform = new TestPlatform(1, { default: "d", downgraded: "o" });
  const start = (fs: CrashingFileSystem) =>
    openTestUpstream("crash", { state: StateDirectory.open("/var/lib/confcom-pccs", fs) });
  const disk = new CrashingFileSystem();
  await start(disk);
  const [killed, powerLost] = SURVIVALS as [Survival, Survival];
  const count = disk.restart(killed);
  const upstream = await start(count);
  const opened = count.operations;
  await register(upstream, platform);
  assert.ok(count.operations > opened + 5, `${count.operations - opened} operations`);
  for (let operations = opened; operations <= count.operations; operations++) {
    const stopping = disk.restart(killed, operations);
    const answered = await register(await start(stopping), platform).catch(() => undefined);
    assert.equal(answered !== undefined, operations === count.operations);
    for (const survival of [killed, powerLost]) {
      const again = await register(await start(stopping.restart(survival)), platform);
      assert.equal(again.certificates.length, 2);
      if (answered !== undefined) assert.deepEqual(again, answered, `stopped after ${operations}, ${survival.name}`);
    }
  }
});

const ask = async (upstream: SoftwareUpstream, request: CollateralRequest) =>
  (await upstream.fetch(request, OPTIONS)).answer;

test("every document of the software platform is served for both versions and both evaluations", async (t) => {
  const upstream = await openTestUpstream(directory(t));
  for (const update of ["standard", "early"] as const) {
    for (const version of [3, 4] as const) {
      const tcb = await ask(upstream, { kind: "tcb-info", tee: "sgx", fmspc: "C0FC0A000000", update, version });
      assert.ok(tcb.kind === "tcb-info" && JSON.parse(tcb.body).tcbInfo.version === version - 1);
      const qe = await ask(upstream, { kind: "identity", id: "QE", update, version });
      assert.ok(qe.kind === "identity" && JSON.parse(qe.body).enclaveIdentity.id === "QE");
    }
  }
  const root = await ask(upstream, { kind: "root-ca-crl" });
  const byUrl = await ask(upstream, { kind: "crl", url: "https://confcom.invalid/root.der" });
  assert.ok(root.kind === "root-ca-crl" && byUrl.kind === "crl");
  assert.deepEqual(byUrl.crl, root.crl);
  for (const ca of ["platform", "processor"] as const) {
    const crl = await ask(upstream, { kind: "pck-crl", ca });
    const url = `https://confcom.invalid/sgx/certification/v4/pckcrl?ca=${ca}&encoding=der`;
    const same = await ask(upstream, { kind: "crl", url });
    assert.ok(crl.kind === "pck-crl" && same.kind === "crl");
    assert.deepEqual(same.crl, crl.crl);
  }
});

test("what the software platform has not is NOT_FOUND, and the message says what was asked", async (t) => {
  const upstream = await openTestUpstream(directory(t));
  const terms = { update: "standard", version: 4 } as const;
  for (const [request, message] of [
    [{ kind: "tcb-info", tee: "tdx", fmspc: "C0FC0A000000", ...terms }, /TDX/],
    [{ kind: "tcb-info", tee: "sgx", fmspc: "00906ED50000", ...terms }, /00906ED50000/],
    [{ kind: "identity", id: "QVE", ...terms }, /QVE identity/],
    [{ kind: "identity", id: "TD_QE", ...terms }, /TD_QE identity/],
    [{ kind: "crl", url: "http://elsewhere.test/x\r\n" }, /elsewhere\.test\/x\\r\\n/],
    [{ kind: "root-ca-crl", url: "https://elsewhere.test/" }, /elsewhere/],
  ] as const) {
    await assert.rejects(ask(upstream, request), { code: "NOT_FOUND", message });
  }
});

test("a revoked certificate is on the CRL that is served next, under a higher number", async (t) => {
  const upstream = await openTestUpstream(directory(t));
  const { certificates } = await register(upstream, new TestPlatform(1, { default: "d" }));
  const serial = new X509Certificate(certificates[0]?.certificate ?? "").serialNumber;
  const crl = async () => {
    const answer = await ask(upstream, { kind: "pck-crl", ca: "platform" });
    return answer.kind === "pck-crl" ? Buffer.from(answer.crl).toString("hex") : "";
  };
  assert.ok(!(await crl()).includes(serial.toLowerCase()));
  await upstream.revoke(serial);
  assert.ok((await crl()).includes(serial.toLowerCase()));
  await assert.rejects(upstream.revoke("no serial"), { code: "PARAMETER" });
});

test("a directory that cannot be written refuses new platforms with its reason, and serves those it has", async (t) => {
  const path = directory(t);
  let readOnly = false;
  const createFile: StateFileSystem["createFile"] = (file, mode) => {
    if (readOnly) throw Object.assign(new Error("read-only file system"), { code: "EROFS" });
    return nodeFileSystem.createFile(file, mode);
  };
  const upstream = await openTestUpstream(path, {
    state: StateDirectory.open(path, { ...nodeFileSystem, createFile }),
  });
  await register(upstream, new TestPlatform(1, { default: "d" }));
  readOnly = true;
  const refused = register(upstream, new TestPlatform(2, { default: "d" }));
  await assert.rejects(refused, { code: "SOURCE_UNREACHABLE", message: /EROFS/ });
  await register(upstream, new TestPlatform(1, { default: "d" }));
});

test("with no time left nothing is begun", async (t) => {
  const upstream = await openTestUpstream(directory(t));
  const signal = AbortSignal.abort();
  await assert.rejects(upstream.fetch({ kind: "root-ca-crl" }, { signal }), { code: "SOURCE_TIMEOUT" });
});
