import { stringify } from "yaml";
import {
  type ExpressionNode,
  isExpression,
  NODE,
} from "../../../packages/kubernetes/src/manifests/template/expression.ts";
import { conditionText, kindOf, operand, type PrintScope, schemaOf, withoutParentheses } from "./helm-expression.ts";

/** A constant as YAML of one line, by the rules of YAML 1.1 as in the manifests, and safe from Helm. */
export function constantYaml(value: unknown): string {
  const options = { version: "1.1", lineWidth: 0 } as const;
  const yaml =
    typeof value === "string" && value.includes("\n") ? JSON.stringify(value) : stringify(value, options).trimEnd();
  return literal(yaml);
}

/** What Helm would take for a template of its own is written as one that stands for it. */
function literal(text: string): string {
  return text.replaceAll("{{", '{{ "{{" }}');
}

/** An expression that stands for text, a number or a truth, as YAML of one line. */
export function scalarYaml(node: ExpressionNode, scope: PrintScope): string {
  const kind = kindOf(node, scope);
  if (node.op === "value" && (kind === "integer" || kind === "boolean")) {
    return `{{ ${withoutParentheses(operand(node, scope))} }}`;
  }
  if (node.op === "value" || node.op === "version" || node.op === "item" || node.op === "product") {
    return `{{ ${withoutParentheses(operand(node, scope))} | quote }}`;
  }
  // CEL is full of double quotes. The other kind is for text in which no value can hold one of its own.
  const quote = staticText(node).includes('"') && valuesOf(node).every((one) => isWord(one, scope)) ? "'" : '"';
  return `${quote}${inlineText(node, scope, quote)}${quote}`;
}

/** As a part of text between quotes. What values may be there cannot end them. */
function inlineText(node: ExpressionNode, scope: PrintScope, quote: string): string {
  switch (node.op) {
    case "text":
      return node.parts
        .map((part) => (typeof part === "string" ? quoted(part, quote) : inlineText(part, scope, quote)))
        .join("");
    case "when": {
      const otherwise = "otherwise" in node ? `{{ else }}${inline(node.otherwise, scope, quote)}` : "";
      const condition = conditionText(node.condition, scope);
      return `{{ if ${condition} }}${inline(node.then, scope, quote)}${otherwise}{{ end }}`;
    }
    case "orElse": {
      const otherwise = asNode(node.otherwise);
      const fallback = typeof otherwise === "string" ? JSON.stringify(otherwise) : operand(otherwise, scope);
      return `{{ ${operand(node.of, scope)} | default ${fallback} }}`;
    }
    default:
      return `{{ ${withoutParentheses(operand(node, scope))} }}`;
  }
}

function inline(template: unknown, scope: PrintScope, quote: string): string {
  const node = asNode(template);
  return typeof node === "string" ? quoted(node, quote) : inlineText(node, scope, quote);
}

function quoted(text: string, quote: string): string {
  return literal(quote === "'" ? text.replaceAll("'", "''") : JSON.stringify(text).slice(1, -1));
}

function asNode(template: unknown): ExpressionNode | string {
  if (typeof template === "string") return template;
  if (!isExpression(template)) throw new TypeError("only text goes into text");
  return template[NODE];
}

function staticText(node: ExpressionNode): string {
  return node.op === "text" ? node.parts.filter((part) => typeof part === "string").join("") : "";
}

function valuesOf(node: ExpressionNode): readonly ExpressionNode[] {
  return node.op === "text" ? node.parts.filter((part) => typeof part !== "string") : [node];
}

/** Names, choices, numbers: nothing that could be or hold a quotation mark. */
function isWord(node: ExpressionNode, scope: PrintScope): boolean {
  if (node.op === "version" || node.op === "product") return true;
  if (node.op !== "value") return false;
  const { pattern, enum: choices } = schemaOf(node.path, scope.schema);
  if (kindOf(node, scope) !== "string" || choices !== undefined) return true;
  if (pattern === undefined) return false;
  const takes = new RegExp(pattern, "u");
  return !["a'a", "/a'a", "https://a'a"].some((text) => takes.test(text));
}
