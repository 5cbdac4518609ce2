import { type Condition, isExpression } from "../../../packages/kubernetes/src/manifests/template/expression.ts";
import { mapLines } from "./helm-block.ts";
import { conditionText, type PrintScope } from "./helm-expression.ts";

/** An object's template as one of Helm's, there only where all conditions hold. */
export function helmTemplate(object: unknown, conditions: readonly Condition[], scope: PrintScope): string {
  if (isExpression(object)) throw new TypeError("which object it is does not depend on values");
  const lines = mapLines(object as object, 0, scope);
  const [first, ...more] = conditions;
  if (first !== undefined) {
    const condition: Condition = more.length === 0 ? first : { op: "all", of: conditions.flatMap(flat) };
    lines.unshift(`{{- if ${conditionText(condition, scope)} }}`);
    lines.push("{{- end }}");
  }
  return `${lines.join("\n")}\n`;
}

function flat(condition: Condition): readonly Condition[] {
  return condition.op === "all" ? condition.of : [condition];
}
