import { type Condition, type ExpressionNode, isExpression, NODE, type Template } from "./expression.ts";

/** What expressions speak of. */
export interface RenderContext {
  readonly values: object;
  readonly version: string;
}

interface Scope extends RenderContext {
  readonly item?: unknown;
}

/** Of a `when` that holds nothing: the key or the element that it stands for is left out. */
const ABSENT = Symbol("absent");

/** The object that a template is for one installation. Throws TypeError for a template that is wrong for every installation. */
export function evaluate<T>(template: Template<T>, context: RenderContext): T {
  const value = evaluated(template, context);
  if (value === ABSENT) throw new TypeError("a template stands for nothing");
  return value as T;
}

export function holds(condition: Condition, scope: RenderContext): boolean {
  switch (condition.op) {
    case "isTrue":
      return known(condition.of, scope) === true;
    case "isSet":
      return known(condition.of, scope) !== null;
    case "isEmpty":
      return Object.keys(known(condition.of, scope) ?? {}).length === 0;
    case "equals":
      return known(condition.of, scope) === condition.to;
    case "not":
      return !holds(condition.of, scope);
    case "all":
      return condition.of.every((one) => holds(one, scope));
    case "any":
      return condition.of.some((one) => holds(one, scope));
  }
}

function evaluated(template: unknown, scope: Scope): unknown {
  if (typeof template !== "object" || template === null) return template;
  if (isExpression(template)) return known(template[NODE], scope);
  if (Array.isArray(template)) return template.map((one) => evaluated(one, scope)).filter((one) => one !== ABSENT);
  const entries = Object.entries(template).map(([key, value]) => [key, evaluated(value, scope)] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== ABSENT && value !== undefined));
}

function known(node: ExpressionNode, scope: Scope): unknown {
  switch (node.op) {
    case "value":
      return node.path.reduce<unknown>((within, key) => member(within, key, node.path), scope.values);
    case "version":
      return scope.version;
    case "item":
      return scope.item;
    case "text":
      return node.parts.map((part) => (typeof part === "string" ? part : String(known(part, scope)))).join("");
    case "product":
      return String(Number(known(node.of, scope)) * node.by);
    case "orElse":
      return known(node.of, scope) ?? evaluated(node.otherwise, scope);
    case "each":
      return (known(node.of, scope) as readonly unknown[]).map((item) => evaluated(node.body, { ...scope, item }));
    case "merge":
      return Object.assign({}, ...node.maps.map((map) => evaluated(map, scope)).filter((map) => map !== ABSENT));
    case "when":
      if (holds(node.condition, scope)) return evaluated(node.then, scope);
      return "otherwise" in node ? evaluated(node.otherwise, scope) : ABSENT;
  }
}

function member(within: unknown, key: string, path: readonly string[]): unknown {
  if (typeof within !== "object" || within === null) throw new TypeError(`no value ${path.join(".")}`);
  const value = (within as Record<string, unknown>)[key];
  if (value === undefined) throw new TypeError(`no value ${path.join(".")}`);
  return value;
}
