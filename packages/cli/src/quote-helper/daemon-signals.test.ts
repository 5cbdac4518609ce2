import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { DaemonSignals } from "./daemon-signals.ts";

/** Sends it to this process and waits until everybody who listens has been told, however busy the machine. */
const send = async (signal: NodeJS.Signals) => {
  const told = once(process, signal);
  process.kill(process.pid, signal);
  await told;
  await setImmediate();
};

test("SIGTERM asks to stop, and the reason is known", async () => {
  const signals = new DaemonSignals();
  assert.equal(signals.stopRequested, false);
  await send("SIGTERM");
  assert.equal(signals.stopRequested, true);
  assert.equal(await signals.stopped, "SIGTERM");
  signals.release();
});

test("a SIGHUP that comes during the start is remembered until the configuration can be read", async () => {
  const signals = new DaemonSignals();
  await send("SIGHUP");
  let reloads = 0;
  signals.onReload(async () => {
    reloads++;
  });
  await send("SIGHUP");
  assert.equal(reloads, 2);
  assert.equal(signals.stopRequested, false);
  signals.release();
});

test("reloads never overlap", async () => {
  const signals = new DaemonSignals();
  let running = 0;
  let most = 0;
  signals.onReload(async () => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, 30));
    running--;
  });
  await send("SIGHUP");
  await send("SIGHUP");
  await send("SIGHUP");
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(most, 1);
  signals.release();
});
