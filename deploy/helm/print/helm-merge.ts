import type { JsonSchema } from "../../../packages/kubernetes/src/manifests/json-schema.ts";
import {
  type ExpressionNode,
  isExpression,
  NODE,
} from "../../../packages/kubernetes/src/manifests/template/expression.ts";
import { type When, whenLines } from "./helm-condition.ts";
import { type PrintScope, reference, schemaOf } from "./helm-expression.ts";

/**
 * Several maps as the entries of one. In YAML no key may stand twice: what a later map has is left out of the earlier
 * ones. At least one entry of ours is always there, so that the map cannot come out as null. `mapLines` writes one that is written out.
 */
export function mergedLines(
  maps: readonly unknown[],
  indent: number,
  scope: PrintScope,
  mapLines: (map: object, indent: number, scope: PrintScope) => string[],
): string[] {
  const parts = maps.map(asPart);
  if (!parts.some((part) => part.op === "literal" && Object.keys(part.map).length > 0)) {
    throw new TypeError("a merged map without an entry that is always there could be null in Helm");
  }
  return parts.flatMap((part, index) => {
    if (part.op === "literal") return mapLines(part.map, indent, scope);
    if (part.op === "when") {
      return whenLines(part, indent, scope, (branch) => mapLines(literalOf(branch), indent, scope));
    }
    return givenLines(part, parts.slice(index + 1), indent, scope);
  });
}

type Given = Extract<ExpressionNode, { op: "value" }>;
type Part = { readonly op: "literal"; readonly map: object } | Given | When;

function asPart(map: unknown): Part {
  if (!isExpression(map)) return { op: "literal", map: map as object };
  const node = map[NODE];
  if (node.op === "value" || node.op === "when") return node;
  throw new TypeError(`${node.op} is not merged in Helm`);
}

function literalOf(branch: unknown): object {
  if (isExpression(branch)) throw new TypeError("only maps that are written out may depend on a condition when merged");
  return branch as object;
}

/** What the owner of the installation gave, without what comes later. */
function givenLines(part: Given, later: readonly Part[], indent: number, scope: PrintScope): string[] {
  const space = " ".repeat(indent);
  const schema = schemaOf(part.path, scope.schema);
  const ours = later.flatMap((one) => (one.op === "literal" ? Object.keys(one.map) : []));
  for (const key of later.flatMap((one) => (one.op === "when" ? keysOf(one) : []))) {
    if (mayHave(schema, key))
      throw new TypeError(`${part.path.join(".")} may have ${key}, which is there only sometimes`);
  }
  const possible = ours.filter((key) => mayHave(schema, key));
  const given = reference(part.path, scope);
  const others = later.filter((one) => one.op === "value");
  if (others.length === 0) {
    const rest =
      possible.length === 0 ? given : `omit ${given} ${possible.map((key) => JSON.stringify(key)).join(" ")}`;
    return [`${space}{{- with ${rest} }}`, `${space}{{- toYaml . | nindent ${indent} }}`, `${space}{{- end }}`];
  }
  const inside: PrintScope = { ...scope, root: "$" };
  const taken = [
    ...others.map(({ path }) => `(hasKey ${reference(path, inside)} $key)`),
    ...possible.map((key) => `(eq $key ${JSON.stringify(key)})`),
  ];
  const condition = taken.length === 1 ? taken[0] : `(or ${taken.join(" ")})`;
  return [
    `${space}{{- range $key, $value := ${given} }}`,
    `${space}{{- if not ${condition} }}`,
    `${space}{{ $key | quote }}: {{ $value | quote }}`,
    `${space}{{- end }}`,
    `${space}{{- end }}`,
  ];
}

function keysOf({ then, ...rest }: When): string[] {
  return [then, ...("otherwise" in rest ? [rest.otherwise] : [])].flatMap((branch) => Object.keys(literalOf(branch)));
}

function mayHave({ propertyNames }: JsonSchema, key: string): boolean {
  return propertyNames?.pattern === undefined || new RegExp(propertyNames.pattern, "u").test(key);
}
