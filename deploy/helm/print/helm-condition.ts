import type { Condition, ExpressionNode } from "../../../packages/kubernetes/src/manifests/template/expression.ts";
import { conditionText, type PrintScope, sourceOf } from "./helm-expression.ts";

export type When = Extract<ExpressionNode, { op: "when" }>;

/** `print` writes one branch. */
export function whenLines(
  node: When,
  indent: number,
  scope: PrintScope,
  print: (branch: unknown, scope: PrintScope) => string[],
): string[] {
  const otherwise = "otherwise" in node ? print(node.otherwise, scope) : undefined;
  return underCondition(node.condition, indent, scope, (inside) => print(node.then, inside), otherwise);
}

/** `then` knows which list is not empty, where the condition says so of one. */
export function underCondition(
  condition: Condition,
  indent: number,
  scope: PrintScope,
  then: (scope: PrintScope) => string[],
  otherwise?: readonly string[],
): string[] {
  const space = " ".repeat(indent);
  const filled =
    condition.op === "not" && condition.of.op === "isEmpty" ? sourceOf(condition.of.of, scope) : scope.filled;
  return [
    `${space}{{- if ${conditionText(condition, scope)} }}`,
    ...then({ ...scope, filled }),
    ...(otherwise === undefined ? [] : [`${space}{{- else }}`, ...otherwise]),
    `${space}{{- end }}`,
  ];
}
