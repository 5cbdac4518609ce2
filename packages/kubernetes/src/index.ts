export type { Clock } from "./clock.ts";
export { encodedListSize, KUBELET_MESSAGE_LIMIT } from "./device-plugin/list-encoding.ts";
export type * from "./device-plugin/published-resource.ts";
export type { DevicePluginEnd, DevicePluginReport, ResourceState } from "./device-plugin/report.ts";
export { KUBERNETES_ERRORS, KubernetesError, type KubernetesErrorCode } from "./errors.ts";
export * from "./names.ts";
export * from "./status/index.ts";
