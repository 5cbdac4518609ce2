import { AesmServer } from "../server/aesm-server.ts";
import { attachWorker } from "../server/worker-pool/attach-worker.ts";
import { RecordingPlatform } from "./recording-platform.ts";

/** The state of the pool's tests: whether the key exists. It makes getQuote answer 42 or not. */
export interface PoolState {
  readonly initialized: boolean;
  readonly generation: number;
}

/** A worker as the pool's tests need it: init_quote_ex asks the main thread for a new state. */
await attachWorker<PoolState, string, PoolState>(async (context) => {
  let platform = new RecordingPlatform(context.initialState);
  const server = new AesmServer({
    platform: {
      name: "software",
      supportedKeyIds: () => platform.supportedKeyIds(),
      pubKeyIdSize: () => platform.pubKeyIdSize(),
      initQuote: async () => {
        await context.request("init");
        return platform.initQuote();
      },
      quoteSize: () => platform.quoteSize(),
      getQuote: (keyId, report, info, signal) => {
        if (report[0] === 0xdd) process.exit(3);
        return platform.getQuote(keyId, report, info, signal);
      },
      close: () => platform.close(),
    },
    counters: context.counters,
    log: context.report,
  });
  if (context.data === "fail") throw new Error("this worker cannot start");
  await server.listen({ fd: context.fd });
  return {
    server,
    onState: (state) => {
      if (state.generation === -1) throw new Error("not that state");
      platform = new RecordingPlatform(state);
    },
    drain: (deadline) => (context.data === "hang" ? new Promise(() => undefined) : server.drain({ deadline })),
  };
});
