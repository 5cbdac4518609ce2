import assert from "node:assert/strict";
import { test } from "node:test";
import { ECDSA_P256_KEY_ID, toHex } from "@confcom/sgx";
import { CrashingFileSystem, Stopped, SURVIVALS, type Survival } from "../testing/crashing-file-system.ts";
import { openTestPlatform, openTestState, testRandom } from "../testing/test-platform.ts";
import type { CpuProfile } from "./cpu/fuses.ts";

/** A start and the making of a key; returns the pub_key_id handed out, or undefined when the machine stopped before. */
async function startAndInit(
  fs: CrashingFileSystem,
  seed: string,
  profile: CpuProfile,
): Promise<{ readonly pubKeyId: string | undefined; readonly finished: boolean }> {
  let pubKeyId: string | undefined;
  try {
    const platform = await openTestPlatform({ state: openTestState(fs), profile, random: testRandom(seed) });
    pubKeyId = toHex((await platform.initQuote(ECDSA_P256_KEY_ID)).pubKeyId);
    await platform.reload();
    return { pubKeyId, finished: true };
  } catch (error) {
    for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
      if (cause instanceof Stopped) return { pubKeyId, finished: false };
    }
    throw error;
  }
}

/** Operations that a first start, a first init and a reload take. */
async function operationsOfFirstStart(): Promise<number> {
  const fs = new CrashingFileSystem();
  await startAndInit(fs, "count", "sdk-simulation");
  return fs.operations;
}

const [killed, powerLost, ...mixtures] = SURVIVALS as [Survival, Survival, ...Survival[]];

// Each start issues certificates and takes some 30 ms, so every stop is tried with lost power and one other outcome.
test("stopped after any one operation of first start, key creation and reload, the next start works and no key handed out is replaced", async () => {
  const total = await operationsOfFirstStart();
  assert.ok(total > 80, `${total} operations`);
  let handedOut = 0;
  for (let operations = 0; operations <= total; operations++) {
    const disk = new CrashingFileSystem(operations);
    const first = await startAndInit(disk, "first", "private");
    assert.equal(first.finished, operations === total);
    if (first.pubKeyId !== undefined) handedOut++;
    const others = [killed, ...mixtures];
    for (const survival of [powerLost, others[operations % others.length] as Survival]) {
      const what = `stopped after ${operations} of ${total}, ${survival.name}`;
      const next = await startAndInit(disk.restart(survival), "second", "private");
      assert.ok(next.finished, what);
      if (first.pubKeyId !== undefined) assert.equal(next.pubKeyId, first.pubKeyId, what);
    }
  }
  assert.ok(handedOut > 3, "some stops come after the key was handed out");
});

test("stopped again during recovery, the start after that works and goes by whatever key was handed out before", async () => {
  const total = await operationsOfFirstStart();
  for (let operations = 3; operations < total; operations += 9) {
    const disk = new CrashingFileSystem(operations);
    const first = await startAndInit(disk, "first", "private");
    const again = disk.restart(powerLost, (operations * 13) % total);
    const second = await startAndInit(again, "second", "private");
    const third = await startAndInit(again.restart(powerLost), "third", "private");
    assert.ok(third.finished);
    const promised = first.pubKeyId ?? second.pubKeyId;
    if (promised !== undefined) assert.equal(third.pubKeyId, promised, `stopped after ${operations}`);
  }
});

test("two processes that start on an empty directory at once hand out the same key, whichever operation the second comes in at", async () => {
  const total = await operationsOfFirstStart();
  for (let at = 0; at < total; at += 6) {
    const disk = new CrashingFileSystem();
    let other: ReturnType<typeof startAndInit> | undefined;
    disk.before = (operation) => {
      if (operation === at) other = startAndInit(disk.share(), "other", "private");
    };
    const one = await startAndInit(disk, "one", "private");
    assert.equal((await other)?.pubKeyId, one.pubKeyId, `at operation ${at}`);
  }
});
