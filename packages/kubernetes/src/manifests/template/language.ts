import {
  type Condition,
  type Expression,
  type ExpressionNode,
  NODE,
  type Symbolic,
  type Template,
} from "./expression.ts";

// The words in which manifests are written.

const expression = <T>(node: ExpressionNode): Expression<T> => ({ [NODE]: node });

/** Every value of an installation by its name. A name that is no value shows when it is rendered. */
export function symbolicValues<T>(path: readonly string[] = []): Symbolic<T> {
  const of = expression<T>({ op: "value", path });
  return new Proxy(of, {
    get: (target, key) => (typeof key === "string" ? symbolicValues([...path, key]) : Reflect.get(target, key)),
  }) as Symbolic<T>;
}

/** The version of confcom, which is the chart's appVersion too. */
export const version: Expression<string> = expression({ op: "version" });

/** The element, inside the body of {@link each}. */
export const item: Expression<string> = expression({ op: "item" });

/** Text with scalar values in it; numbers are whole. */
export function text(
  strings: TemplateStringsArray,
  ...values: readonly (Expression<string | number | boolean | null> | string | number)[]
): Expression<string> {
  const parts: (string | ExpressionNode)[] = [];
  for (const [index, piece] of strings.entries()) {
    if (piece !== "") parts.push(piece);
    if (index >= values.length) continue;
    const value = values[index] as (typeof values)[number];
    parts.push(typeof value === "object" ? value[NODE] : String(value));
  }
  return expression({ op: "text", parts });
}

/** A whole number times a constant, as text: for quantities. */
export function product(of: Expression<number | null>, by: number): Expression<string> {
  return expression({ op: "product", of: of[NODE], by });
}

/** `of`, or where that is null, `otherwise`. */
export function orElse<T>(of: Expression<T | null>, otherwise: Template<T>): Expression<T> {
  return expression({ op: "orElse", of: of[NODE], otherwise });
}

/** A list with `body` for each element of `of`; {@link item} is the element. */
export function each<T>(of: Expression<readonly string[]>, body: Template<T>): Expression<readonly T[]> {
  return expression({ op: "each", of: of[NODE], body });
}

/** One map of several; of equal keys the last one counts. */
export function merge<T>(...maps: readonly Template<T>[]): Expression<T> {
  return expression({ op: "merge", maps });
}

/** `then` where the condition holds; else `otherwise`, and without that the key or element is not there at all. */
export function when<T, U = undefined>(
  condition: Condition | Expression<boolean>,
  then: Template<T>,
  otherwise?: Template<U>,
): Expression<T | U> {
  const base = { op: "when", condition: conditionOf(condition), then } as const;
  return expression(otherwise === undefined ? base : { ...base, otherwise });
}

export const isTrue = (of: Expression<boolean>): Condition => ({ op: "isTrue", of: of[NODE] });

/** Of text or a number that may be null. */
export const isSet = (of: Expression<unknown>): Condition => ({ op: "isSet", of: of[NODE] });

/** Of a list or a map; null is empty too. */
export const isEmpty = (of: Expression<unknown>): Condition => ({ op: "isEmpty", of: of[NODE] });

export const equals = <T extends string | number>(of: Expression<T | null>, to: T): Condition => ({
  op: "equals",
  of: of[NODE],
  to,
});

export const not = (of: Condition | Expression<boolean>): Condition => ({ op: "not", of: conditionOf(of) });

export const all = (...of: readonly (Condition | Expression<boolean>)[]): Condition => ({
  op: "all",
  of: of.map(conditionOf),
});

export const any = (...of: readonly (Condition | Expression<boolean>)[]): Condition => ({
  op: "any",
  of: of.map(conditionOf),
});

function conditionOf(of: Condition | Expression<boolean>): Condition {
  return NODE in of ? isTrue(of) : of;
}
