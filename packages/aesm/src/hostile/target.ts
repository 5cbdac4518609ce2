import { fileURLToPath } from "node:url";
import { isMainThread } from "node:worker_threads";
import { ECDSA_P256_KEY_ID } from "@confcom/sgx";
import type { QuotingPlatform } from "../platform.ts";
import { AesmServer } from "../server/aesm-server.ts";
import { DEFAULT_LIMITS, limitsForLoop, openFileLimit } from "../server/limits.ts";
import { openSocketFile } from "../server/socket-file/socket-file.ts";
import { attachWorker } from "../server/worker-pool/attach-worker.ts";
import { startWorkerPool } from "../server/worker-pool/worker-pool.ts";

/** A platform without keys that remembers nothing: the transport alone is under attack here. */
const keyIds = [ECDSA_P256_KEY_ID];
const quote = new Uint8Array(4734);
const platform: QuotingPlatform = {
  name: "software",
  supportedKeyIds: () => keyIds,
  pubKeyIdSize: () => 32,
  initQuote: () => ({ targetInfo: new Uint8Array(512), pubKeyId: new Uint8Array(32) }),
  quoteSize: () => quote.length,
  getQuote: () => ({ quote, qeReport: new Uint8Array(432) }),
  close: async () => undefined,
};

if (isMainThread) {
  const socketFile = await openSocketFile({ path: process.argv[2] ?? "" });
  await startWorkerPool({
    entry: new URL(import.meta.url),
    count: 2,
    fd: socketFile.fd,
    initialState: {},
    onRequest: () => undefined,
    onDeath: (error) => {
      console.error(error.message);
      process.exit(1);
    },
  });
  await socketFile.publish();
  console.log(`ready ${fileURLToPath(import.meta.url)}`);
  process.on("SIGTERM", () => {
    socketFile.remove();
    process.exit(0);
  });
} else {
  await attachWorker(async (context) => {
    const limits = limitsForLoop(DEFAULT_LIMITS, context.count, openFileLimit());
    const server = new AesmServer({ platform, limits, counters: context.counters });
    await server.listen({ fd: context.fd });
    return { onState: () => undefined, drain: (deadline) => server.drain({ deadline }) };
  });
}
