export { decodePluginStatus } from "./decode-plugin-status.ts";
export { type ListenAddress, parseListenAddress } from "./listen-address.ts";
export { listening } from "./listening.ts";
export { type MetricFamily, metricsText, type ProcessFigures, processMetrics } from "./metrics.ts";
export {
  type NodeCounter,
  PLUGIN_STATES,
  PLUGIN_STATUS_SIZE_LIMIT,
  type PluginState,
  type PluginStatus,
  type PublishingStatus,
  type ResourceStatus,
  type SgxStatus,
  STATUS_EVENT_LIMIT,
  type StatusEvent,
  type StatusProblem,
} from "./plugin-status.ts";
export { type StatusServer, type StatusSource, startStatusServer, type Verdict } from "./status-server.ts";
