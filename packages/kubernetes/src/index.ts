export { KUBERNETES_ERRORS, KubernetesError, type KubernetesErrorCode } from "./errors.ts";
export * from "./names.ts";
export * from "./status/index.ts";
