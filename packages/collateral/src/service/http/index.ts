export type { AccessLogSink } from "./access-log.ts";
export type { RefusedRequest } from "./edge.ts";
export { ENDPOINTS, type Endpoint, type Operation } from "./endpoints.ts";
export { DEFAULT_HTTP_LIMITS, type HttpLimits, httpLimits } from "./limits.ts";
export { type HttpMetric, metricsText } from "./metrics.ts";
export { type PccsServer, type PccsServerOptions, startPccsServer, type TlsIdentity } from "./pccs-server.ts";
export type { TokenHashes } from "./tokens.ts";
