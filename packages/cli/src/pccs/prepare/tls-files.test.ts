import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import { StateDirectory } from "@confcom/quoting";
import { CrashingFileSystem, SURVIVALS, type Survival } from "@confcom/quoting/testing";
import { ensureTlsFiles } from "./tls-files.ts";

const DAY = 86_400_000;
const START = new Date("2026-11-21T12:00:00Z");
const NAMES = { dnsNames: ["sgx-pccs.kube-system.svc", "sgx-pccs"], ipAddresses: ["127.0.0.1", "::1"] };

interface Asked {
  readonly days?: number;
  readonly names?: typeof NAMES | undefined;
}

function directory(disk = new CrashingFileSystem()) {
  const warnings: string[] = [];
  const warn = (text: string) => void warnings.push(text);
  const open = () => StateDirectory.open("/state/tls", disk);
  const ensure = async (asked: Asked = {}) =>
    ensureTlsFiles({
      state: open(),
      names: "names" in asked ? asked.names : NAMES,
      now: new Date(START.getTime() + (asked.days ?? 0) * DAY),
      warn,
    });
  const read = (name: string) => new TextDecoder().decode(open().read(name));
  return { disk, ensure, read, warnings, open };
}

test("the first call makes authority and server certificate for all names, the second keeps both", async () => {
  const { ensure, read, open } = directory();
  const first = await ensure();
  assert.deepEqual(first.made, { authority: true, server: true });
  assert.equal(first.server.checkHost("sgx-pccs.kube-system.svc"), "sgx-pccs.kube-system.svc");
  assert.equal(first.server.checkIP("::1"), "::1");
  assert.ok(first.server.verify(first.authority.publicKey));
  assert.equal(read("ca.pem"), first.authority.toString());
  assert.ok(!read("ca.pem").includes("PRIVATE"));
  const files = open().names().map(read);
  const second = await ensure();
  assert.deepEqual(second.made, { authority: false, server: false });
  assert.deepEqual(open().names().map(read), files);
});

test("the server certificate is renewed when a third of its life is left, and the authority stays", async () => {
  const { ensure } = directory();
  const { authority, server } = await ensure();
  assert.equal((await ensure({ days: 59, names: undefined })).made.server, false);
  const renewed = await ensure({ days: 61, names: undefined });
  assert.deepEqual(renewed.made, { authority: false, server: true });
  assert.deepEqual(renewed.names, NAMES);
  assert.ok(renewed.server.validToDate > server.validToDate);
  assert.equal(renewed.authority.fingerprint256, authority.fingerprint256);
});

test("the server certificate is renewed when its names changed, not when only their order did", async () => {
  const { ensure } = directory();
  await ensure();
  const turned = { dnsNames: NAMES.dnsNames.toReversed(), ipAddresses: NAMES.ipAddresses.toReversed() };
  assert.equal((await ensure({ names: turned })).made.server, false);
  const other = await ensure({ names: { dnsNames: ["another"], ipAddresses: [] } });
  assert.equal(other.made.server, true);
  assert.equal(other.server.checkHost("sgx-pccs"), undefined);
});

test("a clock that went back behind the certificate's start makes another one", async () => {
  const { ensure } = directory();
  await ensure();
  assert.equal((await ensure({ days: -1 })).made.server, true);
});

test("an authority that cannot vouch for a whole certificate any more is moved aside, and a new one made", async () => {
  const { ensure, warnings, open } = directory();
  const { authority } = await ensure();
  const years = 20 * 365;
  assert.equal((await ensure({ days: years - 91 })).made.authority, false);
  const late = await ensure({ days: years - 89 });
  assert.deepEqual(late.made, { authority: true, server: true });
  assert.notEqual(late.authority.fingerprint256, authority.fingerprint256);
  assert.ok(late.server.verify(late.authority.publicKey));
  assert.match(warnings.join("\n"), /authority\.pem ends .* moved to authority\.pem\.damaged-/);
  assert.ok(
    open()
      .names()
      .some((name) => name.startsWith("authority.pem.damaged-")),
  );
});

test("damaged files are made again: the authority with a warning, the server certificate without", async () => {
  const { disk, ensure, warnings, open } = directory();
  await ensure();
  open().replace("server.pem", new Uint8Array([1, 2, 3]));
  assert.deepEqual((await ensure()).made, { authority: false, server: true });
  assert.deepEqual(warnings, []);
  disk.damage("/state/tls/authority.pem", 8 * 400);
  const again = await ensure();
  assert.deepEqual(again.made, { authority: true, server: true });
  assert.match(warnings.join("\n"), /authority\.pem cannot be read/);
});

test("without names there must be a certificate that says them", async () => {
  await assert.rejects(directory().ensure({ names: undefined }), RangeError);
});

test("stopped after any operation, the next call works, and an authority that was in use is never replaced", async () => {
  const whole = directory();
  await whole.ensure();
  const total = whole.disk.operations;
  assert.ok(total > 20, `${total} operations`);
  let inUse = 0;
  for (let operations = 0; operations < total; operations++) {
    // Making keys takes time: of each stop two outcomes, the first of them the killed process.
    for (const survival of [SURVIVALS[0], SURVIVALS[1 + (operations % (SURVIVALS.length - 1))]] as Survival[]) {
      const disk = new CrashingFileSystem(operations);
      await assert.rejects(directory(disk).ensure());
      const left = directory(disk.restart(survival));
      const server = left.open().read("server.pem");
      const next = await left.ensure();
      const what = `stopped after ${operations} of ${total}, ${survival.name}`;
      assert.ok(next.server.verify(next.authority.publicKey), what);
      assert.deepEqual(left.warnings, [], what);
      if (server === undefined) continue;
      inUse++;
      assert.deepEqual(next.made, { authority: false, server: false }, what);
      assert.equal(next.server.fingerprint256, new X509Certificate(server).fingerprint256, what);
    }
  }
  assert.ok(inUse > 0);
});

test("two processes that prepare an empty directory at once agree on the authority", async () => {
  const alone = directory();
  await alone.ensure();
  for (let at = 0; at < alone.disk.operations; at++) {
    const disk = new CrashingFileSystem();
    let other: Promise<unknown> | undefined;
    disk.before = (operation) => {
      if (operation === at) other = directory(disk.share()).ensure();
    };
    await directory(disk).ensure();
    await other;
    const after = await directory(disk.share()).ensure();
    assert.deepEqual(after.made, { authority: false, server: false }, `the second came in at ${at}`);
    assert.ok(after.server.verify(after.authority.publicKey));
  }
});
