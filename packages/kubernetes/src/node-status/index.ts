export { NodeStatus, type NodeStatusOptions } from "./node-status.ts";
export { nodeStatusMetrics } from "./node-status-metrics.ts";
