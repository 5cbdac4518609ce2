import { ADDON_PROBLEMS, type ProblemCode, type Severity } from "./problem-codes.ts";

export interface ObjectName {
  readonly kind: string;
  /** Absent where the kind has none. */
  readonly namespace?: string;
  readonly name: string;
}

/** Something in a cluster that somebody should change. */
export interface Problem {
  readonly code: ProblemCode;
  readonly severity: Severity;
  readonly object: ObjectName;
  /** What was found. */
  readonly cause: string;
  readonly remedy: string;
}

/** A problem as its code's row in the table has it; `remedy` where there is a more exact one. */
export function problem(code: ProblemCode, object: ObjectName, cause: string, remedy?: string): Problem {
  const { severity, remedy: usual } = ADDON_PROBLEMS[code];
  return { code, severity, object, cause, remedy: remedy ?? usual };
}

export const nodeName = (name: string): ObjectName => ({ kind: "Node", name });

export const podName = ({ namespace, name }: { readonly namespace: string; readonly name: string }): ObjectName => ({
  kind: "Pod",
  namespace,
  name,
});
