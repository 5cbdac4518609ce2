import type { JsonSchema } from "../../../packages/kubernetes/src/manifests/json-schema.ts";
import type { Condition, ExpressionNode } from "../../../packages/kubernetes/src/manifests/template/expression.ts";

/** In what surroundings a piece of a template is printed. */
export interface PrintScope {
  /** Of all values: what kind each of them is. */
  readonly schema: JsonSchema;
  /** Inside `range` the dot is an element, and the chart's values are reached by `$`. */
  readonly root: "" | "$";
  /** The list of which a condition around it says that it is not empty. */
  readonly filled?: string | undefined;
}

/** Values that Helm knows by itself: of an installation its namespace is where the release is. */
const BUILT_IN: Readonly<Record<string, string>> = { namespace: ".Release.Namespace" };

export type ValueKind = "string" | "integer" | "boolean" | "list" | "map";

/** Where Helm finds a value. */
export function reference(path: readonly string[], { root }: PrintScope): string {
  return `${root}${BUILT_IN[path.join(".")] ?? `.Values.${path.join(".")}`}`;
}

export function kindOf(node: ExpressionNode, { schema }: PrintScope): ValueKind {
  if (node.op !== "value") {
    if (node.op === "each") return "list";
    return node.op === "merge" ? "map" : "string";
  }
  const { type } = schemaOf(node.path, schema);
  const types = typeof type === "string" ? [type] : (type ?? []);
  if (types.includes("object")) return "map";
  if (types.includes("array")) return "list";
  if (types.includes("integer")) return "integer";
  return types.includes("boolean") ? "boolean" : "string";
}

/** Throws TypeError for a path that is no value. */
export function schemaOf(path: readonly string[], schema: JsonSchema): JsonSchema {
  return path.reduce((within, key) => {
    const next = within.properties?.[key];
    if (next === undefined) throw new TypeError(`no value ${path.join(".")}`);
    return next;
  }, schema);
}

/** As an operand: `.Values.mode`, `(int64 .Values.epcMiB)`. Helm reads numbers as floating point, and prints large ones with an exponent. */
export function operand(node: ExpressionNode, scope: PrintScope): string {
  switch (node.op) {
    case "value": {
      const at = reference(node.path, scope);
      return kindOf(node, scope) === "integer" ? `(int64 ${at})` : at;
    }
    case "version":
      return `${scope.root}.Chart.AppVersion`;
    case "item":
      return ".";
    case "product":
      // It reads its operands as 64-bit integers.
      return `(mul ${sourceOf(node.of, scope)} ${node.by})`;
    case "text":
      return formatted(node.parts, scope);
    default:
      throw new TypeError(`${node.op} is no operand in Helm`);
  }
}

function formatted(parts: readonly (string | ExpressionNode)[], scope: PrintScope): string {
  const format = parts.map((part) => (typeof part === "string" ? part.replaceAll("%", "%%") : "%v")).join("");
  const operands = parts.filter((part) => typeof part !== "string").map((part) => operand(part, scope));
  return `(${["printf", JSON.stringify(format), ...operands].join(" ")})`;
}

/** An operand alone between braces needs no parentheses around it. */
export function withoutParentheses(text: string): string {
  return /^\([^()]*\)$/.test(text) ? text.slice(1, -1) : text;
}

/** As what stands behind `if`. */
export function conditionText(condition: Condition, scope: PrintScope): string {
  switch (condition.op) {
    // Nothing that may be null can be empty or 0, and an empty list or map is false to Go's templates.
    case "isTrue":
    case "isSet":
      return sourceOf(condition.of, scope);
    case "isEmpty":
      return `not ${sourceOf(condition.of, scope)}`;
    case "equals":
      return `eq ${operand(condition.of, scope)} ${JSON.stringify(condition.to)}`;
    case "not":
      if (condition.of.op === "isEmpty") return sourceOf(condition.of.of, scope);
      if (condition.of.op === "equals") {
        return `ne ${operand(condition.of.of, scope)} ${JSON.stringify(condition.of.to)}`;
      }
      return `not ${grouped(condition.of, scope)}`;
    case "all":
      return ["and", ...condition.of.map((one) => grouped(one, scope))].join(" ");
    case "any":
      return ["or", ...condition.of.map((one) => grouped(one, scope))].join(" ");
  }
}

function grouped(condition: Condition, scope: PrintScope): string {
  const text = conditionText(condition, scope);
  return text.includes(" ") ? `(${text})` : text;
}

/** Where a value is, as Helm has it. */
export function sourceOf(node: ExpressionNode, scope: PrintScope): string {
  if (node.op !== "value") throw new TypeError(`Helm is asked about values only, not about ${node.op}`);
  return reference(node.path, scope);
}
