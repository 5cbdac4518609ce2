export {
  type AdmissionPolicyOptions,
  nodeStatusAdmissionPolicies,
  type ValidatingAdmissionPolicy,
  type ValidatingAdmissionPolicyBinding,
} from "./admission-policy.ts";
export { ApiClient, type ApiClientOptions, type ApiCredentials } from "./api-client.ts";
export { ApiError } from "./api-error.ts";
export { NodeStatus, type NodeStatusOptions } from "./node-status.ts";
export { nodeStatusMetrics } from "./node-status-metrics.ts";
