import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { type KeyObject, X509Certificate } from "node:crypto";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { nodeFileSystem, type StateFileSystem } from "../../state/index.ts";
import { AUTHORITY_FILE } from "./authority-record.ts";
import { openProvisioningAuthority } from "./open-authority.ts";
import { REVOCATION_FILE } from "./revocation-state.ts";
import { COLLATERAL_FILE } from "./signed-collateral.ts";
import { encodeStateRecord } from "./state-record.ts";
import { pckRequest, seededRandom, sharedPpidKey, TemporaryState } from "./testing/temporary-authority.ts";

test("the first start makes keys, revocation state and collateral; the next one reads them and writes nothing", async (t) => {
  const state = new TemporaryState(t);
  const first = await openProvisioningAuthority(state.options());
  const made = state.files();
  assert.deepEqual([...made.keys()], [COLLATERAL_FILE, REVOCATION_FILE, AUTHORITY_FILE]);
  const second = await openProvisioningAuthority(state.options({ random: seededRandom("unused") }));
  assert.equal(second.rootCertificatePem, first.rootCertificatePem);
  assert.deepEqual(second.encryptionKey, first.encryptionKey);
  assert.deepEqual(await second.collateral(), await first.collateral());
  assert.deepEqual(state.files(), made);
});

test("keys come from the random source that was passed in", async (t) => {
  const roots = [];
  for (const seed of ["a", "a", "b"]) {
    const authority = await openProvisioningAuthority(new TemporaryState(t).options({ random: seededRandom(seed) }));
    roots.push(new X509Certificate(authority.rootCertificatePem).publicKey);
  }
  const [first, same, other] = roots as [KeyObject, KeyObject, KeyObject];
  assert.ok(first.equals(same));
  assert.ok(!first.equals(other));
});

test("two processes that start on an empty directory at once end up with one authority", async (t) => {
  const state = new TemporaryState(t);
  const [a, b] = await Promise.all([
    openProvisioningAuthority(state.options()),
    openProvisioningAuthority(state.options({ random: seededRandom("second process") })),
  ]);
  assert.equal(a.rootCertificatePem, b.rootCertificatePem);
  assert.deepEqual(await a.collateral(), await b.collateral());
});

test("CA keys with any one bit flipped, or cut short, refuse to start, by name, and nothing is overwritten", async (t) => {
  const state = new TemporaryState(t);
  await openProvisioningAuthority(state.options());
  await assertDamageRefused(state, AUTHORITY_FILE);
});

test("revocation state with any one bit flipped, or cut short, refuses to start, by name, and nothing is overwritten", async (t) => {
  const state = new TemporaryState(t);
  await openProvisioningAuthority(state.options());
  await assertDamageRefused(state, REVOCATION_FILE);
});

async function assertDamageRefused(state: TemporaryState, name: string): Promise<void> {
  const directory = state.directory();
  const good = directory.read(name) as Uint8Array;
  await fc.assert(
    fc.asyncProperty(fc.nat(good.length * 8 - 1), fc.boolean(), async (bit, cut) => {
      const bad = cut ? good.slice(0, bit >> 3) : good.slice();
      if (!cut) bad[bit >> 3] = (bad[bit >> 3] as number) ^ (1 << (bit & 7));
      directory.replace(name, bad);
      const before = state.files();
      await assert.rejects(openProvisioningAuthority(state.options()), (error: Error & { code?: string }) => {
        assert.equal(error.code, "STATE_DAMAGED");
        assert.ok(error.message.includes(name));
        return true;
      });
      assert.deepEqual(state.files(), before);
    }),
    { numRuns: 150 },
  );
  directory.replace(name, good);
  await openProvisioningAuthority(state.options());
}

test("a CA whose certificate is another authority's is refused although its digest is right", async (t) => {
  const [state, other] = [new TemporaryState(t), new TemporaryState(t)];
  await openProvisioningAuthority(state.options());
  await openProvisioningAuthority(other.options());
  const content = (from: TemporaryState) =>
    JSON.parse(from.files().get(AUTHORITY_FILE) ?? "") as { kind: string; content: Record<string, object> };
  const { kind, content: mixed } = content(state);
  for (const part of ["root", "platform", "processor"]) {
    const swapped = { ...mixed, [part]: content(other).content[part] };
    state.directory().replace(AUTHORITY_FILE, encodeStateRecord(kind, swapped));
    await assert.rejects(openProvisioningAuthority(state.options()), { code: "STATE_DAMAGED" }, part);
  }
});

test("CA keys without their revocation state are refused: revocations would be forgotten", async (t) => {
  const state = new TemporaryState(t);
  await openProvisioningAuthority(state.options());
  state.directory().moveAside(REVOCATION_FILE, state.now);
  const before = state.files();
  await assert.rejects(openProvisioningAuthority(state.options()), { code: "STATE_DAMAGED" });
  assert.deepEqual(state.files(), before);
});

test("a directory that has signed before and lost its CA keys gets no new ones", async (t) => {
  const state = new TemporaryState(t);
  await openProvisioningAuthority(state.options());
  state.directory().moveAside(AUTHORITY_FILE, state.now);
  const before = state.files();
  await assert.rejects(openProvisioningAuthority(state.options()), { code: "STATE_DAMAGED" });
  assert.deepEqual(state.files(), before);
});

test("a clock past the root's end makes no authority", async (t) => {
  const state = new TemporaryState(t);
  state.now = new Date("2050-01-01T00:00:00Z");
  await assert.rejects(openProvisioningAuthority(state.options()), { code: "ISSUER_EXPIRED" });
  state.now = new Date("2049-12-30T00:00:00Z");
  await openProvisioningAuthority(state.options());
});

test("a PPID key that cannot be made is reported and leaves a directory that starts", async (t) => {
  const state = new TemporaryState(t);
  const makePpidKey = () => Promise.reject(new Error("no entropy"));
  await assert.rejects(openProvisioningAuthority(state.options({ makePpidKey })), /no entropy/);
  await openProvisioningAuthority(state.options());
});

/** The file system of a process that is killed right before its nth change of the directory. */
function killedBefore(change: number): { fs: StateFileSystem; changes: () => number } {
  let count = 0;
  const counted =
    <A extends unknown[], R>(operation: (...args: A) => R) =>
    (...args: A): R => {
      if (count++ >= change) throw new Error("killed");
      return operation(...args);
    };
  const fs: StateFileSystem = {
    ...nodeFileSystem,
    createFile: counted(nodeFileSystem.createFile),
    write: counted(nodeFileSystem.write),
    syncFile: counted(nodeFileSystem.syncFile),
    rename: counted(nodeFileSystem.rename),
    link: counted(nodeFileSystem.link),
    remove: counted(nodeFileSystem.remove),
  };
  return { fs, changes: () => count };
}

async function everything(state: TemporaryState, fs: StateFileSystem): Promise<string> {
  const authority = await openProvisioningAuthority(state.options({ state: state.directory(fs) }));
  const { chainPem } = await authority.pckChain(pckRequest());
  await authority.revoke("41".repeat(20));
  return authority.rootCertificatePem + chainPem;
}

test("killed before any single change of a first start, it starts again with everything that was handed out", async (t) => {
  await sharedPpidKey();
  const whole = killedBefore(Number.POSITIVE_INFINITY);
  await everything(new TemporaryState(t), whole.fs);
  assert.ok(whole.changes() >= 30, `${whole.changes()} changes`);
  for (let change = 0; change < whole.changes(); change++) {
    const state = new TemporaryState(t);
    await assert.rejects(everything(state, killedBefore(change).fs), /killed/);
    const existing = (name: string) => state.files().get(name);
    const [keys, pck] = [existing(AUTHORITY_FILE), [...state.files().keys()].find((name) => name.startsWith("pck-"))];
    const certificate = pck && existing(pck);
    await everything(state, nodeFileSystem);
    if (keys !== undefined) assert.equal(existing(AUTHORITY_FILE), keys, `CA keys replaced after change ${change}`);
    if (pck !== undefined) assert.equal(existing(pck), certificate, `PCK certificate replaced after change ${change}`);
  }
});

test("a start with everything in place loads no certificate-issuing code, and issuing does", async (t) => {
  const state = new TemporaryState(t);
  await openProvisioningAuthority(state.options());
  const run = (day: number) =>
    execFileSync(
      process.execPath,
      [fileURLToPath(new URL("./testing/open-in-process.ts", import.meta.url)), state.path, `${day}`],
      {
        encoding: "utf8",
      },
    ).trim();
  assert.equal(run(1), "not loaded");
  assert.equal(run(29), "loaded");
});
