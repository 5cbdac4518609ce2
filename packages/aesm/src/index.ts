export * from "./client/aesm-client.ts";
export type { RetryPolicy } from "./client/retry.ts";
export * from "./errors.ts";
export * from "./framing.ts";
export * from "./messages/fields.ts";
export { decodeRequest, decodeResponse, encodeRequest, encodeResponse } from "./messages/message-codec.ts";
export { MessageDecoder } from "./messages/message-decoder.ts";
export * from "./messages/operations.ts";
export * from "./platform.ts";
export { AesmServer, type AesmServerOptions } from "./server/aesm-server.ts";
export { type CountersSnapshot, ServerCounters } from "./server/counters.ts";
export type { DropReason, ServerEvent, ServerLog } from "./server/events.ts";
export { DEFAULT_LIMITS, limitsForLoop, openFileLimit, type ServerLimits } from "./server/limits.ts";
export { type RunningServer, type ServeOptions, serve } from "./server/serve.ts";
export type { SocketOwner } from "./server/socket-file/owner.ts";
export type { LossReason } from "./server/socket-file/path-watch.ts";
export {
  openSocketFile,
  SocketFile,
  type SocketFileOptions,
  socketOwners,
} from "./server/socket-file/socket-file.ts";
export { attachWorker, type WorkerContext, type WorkerDuties } from "./server/worker-pool/attach-worker.ts";
export {
  startWorkerPool,
  WORKER_RESOURCE_LIMITS,
  WorkerPool,
  type WorkerPoolOptions,
} from "./server/worker-pool/worker-pool.ts";
