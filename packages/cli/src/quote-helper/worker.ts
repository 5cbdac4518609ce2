import { AesmServer, attachWorker, limitsForLoop, openFileLimit } from "@confcom/aesm";
import { createSnapshotPlatform } from "@confcom/quoting/software";
import type { SharedState, WorkerRequest, WorkerSettings } from "./shared-state.ts";

// One event loop of the quote helper: accepts on the shared socket and answers from the snapshot it was given.
await attachWorker<SharedState, WorkerRequest, undefined>(async (context) => {
  const platform = createSnapshotPlatform(context.initialState.snapshot, {
    requestInit: async () => {
      await context.request("init-quote");
    },
    // The server copies a quote into its reply in the same turn of the loop.
    reuseQuoteBuffer: true,
  });
  const share = (state: SharedState) => limitsForLoop(state.limits, context.count, openFileLimit());
  const server = new AesmServer({
    platform,
    limits: share(context.initialState),
    counters: context.counters,
    log: context.report,
  });
  await server.listen({ fd: context.fd });
  const { spareLoops } = context.data as WorkerSettings;
  return {
    ...(spareLoops ? { server } : {}),
    onState: (state) => {
      platform.update(state.snapshot);
      server.changeLimits(share(state));
    },
    drain: (deadline) => server.drain({ deadline }),
  };
});
