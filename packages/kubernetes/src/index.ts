export { KUBERNETES_ERRORS, KubernetesError, type KubernetesErrorCode } from "./errors.ts";
export * from "./names.ts";
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
} from "./status/plugin-status.ts";
