import {
  type ExpressionNode,
  isExpression,
  NODE,
} from "../../../packages/kubernetes/src/manifests/template/expression.ts";
import { underCondition, type When, whenLines } from "./helm-condition.ts";
import { conditionText, kindOf, type PrintScope, reference, sourceOf } from "./helm-expression.ts";
import { mergedLines } from "./helm-merge.ts";
import { constantYaml, scalarYaml } from "./helm-scalar.ts";

/** The lines of a map's entries, `indent` spaces in. */
export function mapLines(map: object, indent: number, scope: PrintScope): string[] {
  return Object.entries(map).flatMap(([key, value]) => entryLines(key, value, indent, scope));
}

/** One entry of a map. A template that cannot be written in Helm's language is a TypeError that says which. */
function entryLines(key: string, value: unknown, indent: number, scope: PrintScope): string[] {
  if (value === undefined) return [];
  const name = `${" ".repeat(indent)}${constantYaml(key)}:`;
  if (!isExpression(value)) {
    if (Array.isArray(value) && value.length > 0) return [name, ...listLines(value, indent, scope)];
    if (isMap(value) && Object.keys(value).length > 0)
      return [name, ...mapLines(filledMap(value, key), indent + 2, scope)];
    return [`${name} ${constantYaml(value)}`];
  }
  const node = value[NODE];
  if (node.op === "when")
    return whenLines(node, indent, scope, (branch, inside) => entryLines(key, branch, indent, inside));
  if (node.op === "each") return [name, ...eachLines(node, indent, scope)];
  if (node.op === "merge") return [name, ...mergedLines(node.maps, indent + 2, scope, mapLines)];
  const kind = kindOf(node, scope);
  if (node.op === "value" && (kind === "list" || kind === "map")) {
    return [name, `${" ".repeat(indent + 2)}{{- toYaml ${reference(node.path, scope)} | nindent ${indent + 2} }}`];
  }
  return [`${name} ${scalarYaml(node, scope)}`];
}

/** Elements stand as far in as the key of their list, as in the manifests. */
function listLines(list: readonly unknown[], indent: number, scope: PrintScope): string[] {
  if (list.every(mayBeMissing))
    throw new TypeError("a list of which every element may be missing would be null in Helm");
  return runsOf(list, scope).flatMap(([first, ...more]) => {
    if (more.length === 0) return elementLines(first, indent, scope);
    const { condition } = whenOf(first) as When;
    const thens = [first, ...more].map((element) => (whenOf(element) as When).then);
    return underCondition(condition, indent, scope, (inside) =>
      thens.flatMap((element) => elementLines(element, indent, inside)),
    );
  });
}

/** Neighbours that are there under the same condition stand under one `if`. */
function runsOf(list: readonly unknown[], scope: PrintScope): unknown[][] {
  const runs: { condition: string | undefined; elements: unknown[] }[] = [];
  for (const element of list) {
    const node = whenOf(element);
    const condition = node === undefined || "otherwise" in node ? undefined : conditionText(node.condition, scope);
    const last = runs.at(-1);
    if (last !== undefined && condition !== undefined && last.condition === condition) last.elements.push(element);
    else runs.push({ condition, elements: [element] });
  }
  return runs.map(({ elements }) => elements);
}

function whenOf(element: unknown): When | undefined {
  return isExpression(element) && element[NODE].op === "when" ? element[NODE] : undefined;
}

function elementLines(element: unknown, indent: number, scope: PrintScope): string[] {
  const dash = `${" ".repeat(indent)}- `;
  if (!isExpression(element)) {
    if (!isMap(element)) return [`${dash}${constantYaml(element)}`];
    const [first, ...rest] = mapLines(filledMap(element, "an element"), indent + 2, scope);
    if (first === undefined || first.trimStart().startsWith("{{-")) {
      throw new TypeError("an element begins with a member that may be missing, which leaves its dash alone");
    }
    return [`${dash}${first.trimStart()}`, ...rest];
  }
  const node = element[NODE];
  if (node.op === "when")
    return whenLines(node, indent, scope, (branch, inside) => elementLines(branch, indent, inside));
  if (kindOf(node, scope) === "map" || kindOf(node, scope) === "list") {
    throw new TypeError(`${node.op} is no element of a list in Helm`);
  }
  return [`${dash}${scalarYaml(node, scope)}`];
}

/** Only inside of a condition that the list is not empty: of an empty one nothing would be left but its key. */
function eachLines(node: Extract<ExpressionNode, { op: "each" }>, indent: number, scope: PrintScope): string[] {
  const list = sourceOf(node.of, scope);
  if (scope.filled !== list)
    throw new TypeError(`nothing says that ${list} is not empty; its list would be null in Helm`);
  const space = " ".repeat(indent);
  const lines = elementLines(node.body, indent, { ...scope, root: "$", filled: undefined });
  return [`${space}{{- range ${list} }}`, ...lines, `${space}{{- end }}`];
}

/** A map of which every member may be missing would be null in Helm. */
function filledMap(map: object, what: string): object {
  const stays = (member: unknown) => member !== undefined && !mayBeMissing(member);
  if (!Object.values(map).some(stays)) throw new TypeError(`${what}: every member may be missing`);
  return map;
}

function mayBeMissing(value: unknown): boolean {
  const node = whenOf(value);
  return node !== undefined && (!("otherwise" in node) || mayBeMissing(node.then) || mayBeMissing(node.otherwise));
}

function isMap(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
