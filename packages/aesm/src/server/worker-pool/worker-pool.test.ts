import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { Aesm, Quote3 } from "@confcom/sgx";
import { AesmClient } from "../../client/aesm-client.ts";
import type { AesmError } from "../../errors.ts";
import { QuotingError } from "../../platform.ts";
import type { PoolState } from "../../testing/pool-worker.ts";
import { inTemporaryDirectory } from "../../testing/served.ts";
import type { ServerEvent } from "../events.ts";
import { openSocketFile } from "../socket-file/socket-file.ts";
import { startWorkerPool, WorkerPool, type WorkerPoolOptions } from "./worker-pool.ts";

const ENTRY = new URL("../../testing/pool-worker.ts", import.meta.url);
const DYING_POOL = fileURLToPath(new URL("../../testing/dying-pool.ts", import.meta.url));

interface Pooled {
  readonly pool: WorkerPool<PoolState, string, PoolState>;
  readonly client: AesmClient;
  readonly deaths: AesmError[];
  readonly events: ServerEvent[];
}

async function pooled(
  body: (pooled: Pooled) => Promise<void>,
  options: Partial<WorkerPoolOptions<PoolState, string, PoolState>> = {},
): Promise<void> {
  await inTemporaryDirectory(async (directory) => {
    const socketPath = join(directory, "aesm.socket");
    const socketFile = await openSocketFile({ path: socketPath });
    const deaths: AesmError[] = [];
    const events: ServerEvent[] = [];
    let generation = 0;
    let pool: WorkerPool<PoolState, string, PoolState> | undefined;
    pool = await startWorkerPool<PoolState, string, PoolState>({
      entry: ENTRY,
      count: 2,
      fd: socketFile.fd,
      initialState: { initialized: false, generation: 0 },
      // As a daemon does: the new state reaches every worker before the reply that announces it.
      onRequest: async () => {
        const state = { initialized: true, generation: ++generation };
        await pool?.publish(state);
        return state;
      },
      onDeath: (error) => deaths.push(error),
      onEvent: (event) => events.push(event),
      ...options,
    });
    await socketFile.publish();
    const client = new AesmClient({ socketPath });
    try {
      await body({ pool, client, deaths, events });
    } finally {
      socketFile.remove();
      await pool.close(2_000);
    }
  });
}

describe("worker pool", () => {
  it("both workers serve, and what one initialised is known to the other before the answer", () =>
    pooled(async ({ pool, client, events }) => {
      await assert.rejects(client.quoteSize(), { aesm: 42 });
      await client.initQuote();
      const accepted = () => pool.counters().map((counters) => counters.accepted);
      assert.equal(accepted().length, 2);
      // Which worker takes a connection is the kernel's choice, and on a busy machine one of them may take hundreds in a row.
      for (let round = 0; round === 0 || (accepted().includes(0) && round < 100); round++) {
        const sizes = await Promise.all(Array.from({ length: 300 }, () => client.quoteSize()));
        assert.deepEqual(new Set(sizes), new Set([4734]));
      }
      assert.ok(accepted().every((connections) => connections > 0));
      assert.equal(events[0]?.kind === "refused" && events[0].code, 42);
    }));

  it("a failure on the main thread reaches the caller with its code", () =>
    pooled(
      async ({ client }) => {
        await assert.rejects(client.initQuote(), { aesm: 44 });
      },
      {
        onRequest: () => {
          const codes = { aesm: Aesm.NO_PLATFORM_CERT_DATA, quote3: Quote3.NO_PLATFORM_CERT_DATA };
          throw new QuotingError("no certificate", { ...codes, nextStep: "provision" });
        },
      },
    ));

  it("a state that a worker refuses fails the publication", () =>
    pooled(async ({ pool }) => {
      await assert.rejects(pool.publish({ initialized: true, generation: -1 }), /not that state/);
    }));

  it("a worker that cannot start fails the start", () =>
    assert.rejects(
      pooled(async () => undefined, { data: "fail" }),
      { code: "WORKER_START" },
    ));

  it("a worker that never drains does not hold up the end", () =>
    pooled(
      async ({ pool }) => {
        await pool.close(50);
        await assert.rejects(pool.publish({ initialized: true, generation: 1 }), { code: "POOL_CLOSED" });
      },
      { data: "hang" },
    ));

  it("closed twice, the second waits for the end, too", () =>
    pooled(
      async ({ pool }) => {
        let ended = false;
        const first = pool.close(100).then(() => {
          ended = true;
        });
        await pool.close();
        assert.ok(ended);
        await first;
        await pool.close();
      },
      { data: "hang" },
    ));

  it("closed while it starts, the start fails and no worker is waited for in vain", { timeout: 30_000 }, () =>
    inTemporaryDirectory(async (directory) => {
      const socketFile = await openSocketFile({ path: join(directory, "aesm.socket") });
      const pool = new WorkerPool<PoolState, string, PoolState>({
        entry: ENTRY,
        count: 2,
        fd: socketFile.fd,
        initialState: { initialized: true, generation: 0 },
        onRequest: () => ({ initialized: true, generation: 0 }),
        onDeath: (error) => assert.fail(error),
      });
      const starting = assert.rejects(pool.start(), { code: "POOL_CLOSED" });
      await Promise.all([pool.close(120_000), pool.close(120_000), starting]);
      await assert.rejects(pool.start(), { code: "POOL_CLOSED" });
      socketFile.remove();
    }),
  );

  it("a worker's death ends the process at once, non-zero", async () => {
    // In a process of its own: the dead worker has closed the descriptor that all others listen on, and the runtime may
    // abort over that before anybody can report it.
    const child = spawn(process.execPath, [DYING_POOL], { stdio: ["ignore", "pipe", "inherit"] });
    const said = new Promise<string>((resolve) => child.stdout.once("data", (data) => resolve(String(data).trim())));
    const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
    assert.equal(await said, "asking for the worker's death");
    assert.ok(code === 70 || signal === "SIGABRT", `exit ${code}, signal ${signal}`);
  });

  it("lets all workers but the first sleep while the first can cope, and wakes them for a new state", async () => {
    await pooled(async ({ pool, client }) => {
      for (let i = 0; i < 40; i++) assert.equal(await client.supportedKeyIdCount(), 1);
      const [first, second] = pool.counters();
      assert.ok((first?.accepted ?? 0) > (second?.accepted ?? 0));
      await pool.publish({ initialized: true, generation: 7 });
    });
  });
});
