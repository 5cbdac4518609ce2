import { join } from "node:path";
import { AesmClient } from "../client/aesm-client.ts";
import { openSocketFile } from "../server/socket-file/socket-file.ts";
import { startWorkerPool } from "../server/worker-pool/worker-pool.ts";
import type { PoolState } from "./pool-worker.ts";
import { inTemporaryDirectory } from "./served.ts";

// A daemon in miniature, one of whose workers is told to die: its own process must end non-zero, whatever it waits for.
await inTemporaryDirectory(async (directory) => {
  const socketPath = join(directory, "aesm.socket");
  const socketFile = await openSocketFile({ path: socketPath });
  await startWorkerPool<PoolState, string, PoolState>({
    entry: new URL("./pool-worker.ts", import.meta.url),
    count: 2,
    fd: socketFile.fd,
    initialState: { initialized: true, generation: 0 },
    onRequest: () => ({ initialized: true, generation: 0 }),
    onDeath: (error) => {
      socketFile.remove();
      process.exit(error.code === "WORKER_DIED" ? 70 : 71);
    },
  });
  await socketFile.publish();
  process.stdout.write("asking for the worker's death\n");
  const client = new AesmClient({ socketPath });
  await client.getQuote(new Uint8Array(432).fill(0xdd), 8192, { timeoutMs: 5_000 }).catch(() => undefined);
  await new Promise((resolve) => setTimeout(resolve, 10_000));
});
