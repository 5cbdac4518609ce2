export { type ReadBounds, type StatusAccess, statusOfFailure } from "./access.ts";
export { statusAccess } from "./connection-access.ts";
export { diagnose } from "./diagnosis/diagnose.ts";
export type { ObjectName, Problem } from "./diagnosis/problem.ts";
export { ADDON_PROBLEMS, type ProblemCode, type Severity } from "./diagnosis/problem-codes.ts";
export {
  type AddonStatus,
  addonStatus,
  type ComponentStatus,
  type NodeFigures,
  type PodFigures,
} from "./figures/addon-status.ts";
export type { ClusterSnapshot } from "./snapshot.ts";
export { type SnapshotOptions, takeSnapshot } from "./take-snapshot.ts";
