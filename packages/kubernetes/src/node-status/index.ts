export {
  type AdmissionPolicyOptions,
  nodeStatusAdmissionPolicies,
  type ValidatingAdmissionPolicy,
  type ValidatingAdmissionPolicyBinding,
} from "./admission-policy.ts";
export { NodeStatus, type NodeStatusOptions } from "./node-status.ts";
export { nodeStatusMetrics } from "./node-status-metrics.ts";
