import { KUBERNETES_ERRORS, type KubernetesErrorCode } from "./errors.ts";

/** Something about this node that somebody should know or change; shown in `/status` and as a node event. */
export interface NodeProblem {
  readonly code: KubernetesErrorCode;
  /** What was found, where. */
  readonly message: string;
  readonly nextStep: string;
}

export function nodeProblem(code: KubernetesErrorCode, message: string): NodeProblem {
  return { code, message, nextStep: KUBERNETES_ERRORS[code] };
}
