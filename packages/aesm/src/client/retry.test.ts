import assert from "node:assert/strict";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { Aesm, type AesmErrorCode, Quote3 } from "@confcom/sgx";
import { AesmError } from "../errors.ts";
import { QuotingError } from "../platform.ts";
import { type RunningServer, serve } from "../server/serve.ts";
import { RecordingPlatform } from "../testing/recording-platform.ts";
import { inTemporaryDirectory } from "../testing/served.ts";
import { AesmClient } from "./aesm-client.ts";
import { type RetryPolicy, retrying } from "./retry.ts";

/** A clock that moves only while somebody sleeps, and does `meanwhile` during the sleep of that number. */
function manualTime(meanwhile: Readonly<Record<number, () => unknown>> = {}, forMs = 10_000) {
  const waits: number[] = [];
  let time = 0;
  const policy: RetryPolicy = {
    forMs,
    random: () => 0,
    now: () => time,
    sleep: async (ms, signal) => {
      signal?.throwIfAborted();
      waits.push(ms);
      time += ms;
      await meanwhile[waits.length]?.();
    },
  };
  return { policy, waits };
}

test("a service that is away and comes back is met by the same call", () =>
  inTemporaryDirectory(async (directory) => {
    const socketPath = join(directory, "aesm.socket");
    const start = () => serve({ socketPath, platform: new RecordingPlatform({ initialized: true }) });
    let server: RunningServer | undefined;
    const { policy, waits } = manualTime({
      3: async () => {
        server = await start();
      },
    });
    const client = new AesmClient({ socketPath, retry: policy });
    assert.equal(await client.quoteSize(), 4734);
    assert.deepEqual(waits, [25, 50, 100], "half of 50, 100 and 200: no jitter here");
    await server?.close(100);
  }));

test("a service that leaves between two calls of a quote and returns is not noticed", () =>
  inTemporaryDirectory(async (directory) => {
    const socketPath = join(directory, "aesm.socket");
    const start = () => serve({ socketPath, platform: new RecordingPlatform({ initialized: true }) });
    let server = await start();
    const { policy, waits } = manualTime({
      2: async () => {
        server = await start();
      },
    });
    const client = new AesmClient({ socketPath, retry: policy });
    const { quote } = await client.quote(async () => {
      await server.close(100);
      return new Uint8Array(432);
    });
    assert.equal(quote.length, 4734);
    assert.equal(waits.length, 2);
    await server.close(100);
  }));

test("a connection that is closed without a reply is made again, three times in a row at most", () =>
  inTemporaryDirectory(async (directory) => {
    const socketPath = join(directory, "aesm.socket");
    let connections = 0;
    const closing = createServer((socket) => {
      connections++;
      socket.on("error", () => undefined);
      socket.destroy();
    });
    await new Promise<void>((resolve) => closing.listen(socketPath, resolve));
    const client = new AesmClient({ socketPath, retry: manualTime().policy });
    await assert.rejects(client.quoteSize(), { code: "SERVICE_CLOSED", message: /tried 3 times in 75 ms/ });
    assert.equal(connections, 3);
    const once = client.request("check_update_status", { updateInfoSize: 12, config: 0 });
    await assert.rejects(once, { code: "SERVICE_CLOSED" }, "it may have been served: not repeated");
    assert.equal(connections, 4);
    await new Promise<void>((resolve) => closing.close(() => resolve()));
  }));

test("BUSY passes, other refusals are answers", () =>
  inTemporaryDirectory(async (directory) => {
    const socketPath = join(directory, "aesm.socket");
    const platform = new RecordingPlatform({ initialized: true });
    const refusals: AesmErrorCode[] = [Aesm.BUSY, Aesm.SERVICE_STOPPED];
    platform.quoteSize = () => {
      const aesm = refusals.shift();
      if (aesm !== undefined) throw new QuotingError("no", { aesm, quote3: Quote3.UNEXPECTED, nextStep: "none" });
      return 4734;
    };
    const server = await serve({ socketPath, platform });
    const { policy, waits } = manualTime();
    const client = new AesmClient({ socketPath, retry: policy });
    assert.equal(await client.quoteSize(), 4734);
    assert.equal(waits.length, 2);
    refusals.push(Aesm.ATT_KEY_NOT_INITIALIZED);
    await assert.rejects(client.quoteSize(), { aesm: 42 });
    assert.equal(waits.length, 2);
    await server.close(100);
  }));

const absent = () => new AesmError("SERVICE_UNREACHABLE", "nobody", { cause: { code: "ENOENT" } });
const call = (overrides: { timeoutMs?: number; signal?: AbortSignal } = {}) => ({
  operation: "get_quote_ex" as const,
  timeoutMs: 15_000,
  signal: undefined,
  ...overrides,
});

test("waits double up to the longest one, and end before the policy's time", async () => {
  const { policy, waits } = manualTime({}, 2000);
  await assert.rejects(
    retrying(policy, call(), () => Promise.reject(absent())),
    { code: "SERVICE_UNREACHABLE", message: "nobody (tried 11 times in 1875 ms)" },
  );
  assert.deepEqual(waits, [25, 50, 100, 200, 250, 250, 250, 250, 250, 250]);
});

test("all attempts together have the call's timeout, however long the policy goes on", async () => {
  const { policy } = manualTime();
  const given: number[] = [];
  const attempt = (ms: number) => {
    given.push(ms);
    return Promise.reject(absent());
  };
  await assert.rejects(retrying(policy, call({ timeoutMs: 200 }), attempt), { code: "SERVICE_UNREACHABLE" });
  assert.deepEqual(given, [200, 175, 125, 25]);
});

test("jitter: each wait is between half and all of its longest", async () => {
  const { policy, waits } = manualTime({}, 100);
  const jittered = { ...policy, random: () => 0.999 };
  await assert.rejects(retrying(jittered, call(), () => Promise.reject(absent())));
  assert.deepEqual(waits.map(Math.round), [50]);
});

test("no retry for a permission, a timeout or a wrong path", async () => {
  for (const error of [
    new AesmError("SERVICE_UNREACHABLE", "no permission", { cause: { code: "EACCES" } }),
    new AesmError("SERVICE_TIMEOUT", "too late"),
    new AesmError("SOCKET_PATH", "no path"),
    new AesmError("MESSAGE_MALFORMED", "no message"),
  ]) {
    const { policy, waits } = manualTime();
    const failing = retrying(policy, call(), () => Promise.reject(error));
    await assert.rejects(failing, (thrown) => thrown === error);
    assert.deepEqual(waits, []);
  }
});

test("a caller who cancels during a wait is told so", async () => {
  const abort = new AbortController();
  const { policy } = manualTime();
  const attempt = () => {
    abort.abort();
    return Promise.reject(absent());
  };
  await assert.rejects(retrying(policy, call({ signal: abort.signal }), attempt), { code: "REQUEST_CANCELLED" });
});
