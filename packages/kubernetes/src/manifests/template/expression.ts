/**
 * Parts of an object that are known only when an installation is rendered. The same description is evaluated by the
 * command ({@link evaluate}) and printed as the templates of the Helm chart, so that neither can say what the other does not.
 */
export type ExpressionNode =
  /** What the owner of the installation chose; the path into its values. */
  | { readonly op: "value"; readonly path: readonly string[] }
  /** The version of confcom. */
  | { readonly op: "version" }
  /** Inside `each`: the element. */
  | { readonly op: "item" }
  | { readonly op: "text"; readonly parts: readonly (string | ExpressionNode)[] }
  /** A whole number times a constant, as text. */
  | { readonly op: "product"; readonly of: ExpressionNode; readonly by: number }
  /** The first that is not null. */
  | { readonly op: "orElse"; readonly of: ExpressionNode; readonly otherwise: unknown }
  /** A list with one element for each of another list. */
  | { readonly op: "each"; readonly of: ExpressionNode; readonly body: unknown }
  /** One map of several; of equal keys the last one counts. */
  | { readonly op: "merge"; readonly maps: readonly unknown[] }
  /** Without `otherwise`: nothing, so that the key or the element is not there. */
  | { readonly op: "when"; readonly condition: Condition; readonly then: unknown; readonly otherwise?: unknown };

export type Condition =
  | { readonly op: "isTrue"; readonly of: ExpressionNode }
  /** Of text or a number that may be null; neither can be empty or 0. */
  | { readonly op: "isSet"; readonly of: ExpressionNode }
  /** Of a list or a map; null is empty too. */
  | { readonly op: "isEmpty"; readonly of: ExpressionNode }
  | { readonly op: "equals"; readonly of: ExpressionNode; readonly to: string | number }
  | { readonly op: "not"; readonly of: Condition }
  | { readonly op: "all" | "any"; readonly of: readonly Condition[] };

/** Where an {@link Expression} keeps its node: no key that a value could have. */
export const NODE: unique symbol = Symbol("expression");

/** Stands for a `T`. */
export interface Expression<T> {
  readonly [NODE]: ExpressionNode;
  /** For the type checker alone. */
  readonly __type?: T;
}

/** A `T` in which any part may be an expression, and any element or optional member may be left out. */
export type Template<T> =
  | Expression<T | undefined>
  | (T extends string | number | boolean | null | undefined
      ? T
      : T extends readonly (infer U)[]
        ? readonly Template<U>[]
        : Members<T>);

/** An object whose members are templates, and which is none as a whole: it can be spread into another. */
export type Members<T> = { readonly [K in keyof T]: Template<T[K]> };

/** Values by name: `values.quoteHelper.workers` is the expression of that value. */
export type Symbolic<T> = Expression<T> &
  (NonNullable<T> extends readonly unknown[]
    ? unknown
    : NonNullable<T> extends object
      ? { readonly [K in keyof NonNullable<T>]-?: Symbolic<NonNullable<T>[K]> }
      : unknown);

export function isExpression(value: unknown): value is Expression<unknown> {
  return typeof value === "object" && value !== null && NODE in value;
}
