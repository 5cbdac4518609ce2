import { stringify } from "yaml";
import type { JsonSchema } from "../../../packages/kubernetes/src/manifests/json-schema.ts";
import { VALUE_DESCRIPTIONS } from "../../../packages/kubernetes/src/manifests/value-descriptions.ts";
import { DEFAULT_VALUES, VALUES_READER } from "../../../packages/kubernetes/src/manifests/values.ts";

const WIDTH = 110;

/** `values.yaml`: the defaults, and what each value means. */
export function valuesYaml(): string {
  const { namespace, ...defaults } = DEFAULT_VALUES;
  const namespaceLines = [
    ...comment("The release's, which is where the objects go: install with --namespace. Another one is refused."),
    "namespace: null",
  ];
  return `${[...namespaceLines, ...lines(defaults, VALUES_READER.schema, [])].join("\n")}\n`;
}

/** A section's members have a comment each; what an owner fills in, such as labels, has none inside. */
function lines(values: object, schema: JsonSchema, path: readonly string[]): string[] {
  const indent = "  ".repeat(path.length);
  return Object.entries(values).flatMap(([key, value]) => {
    const at = [...path, key];
    const member = schema.properties?.[key];
    const about = comment(VALUE_DESCRIPTIONS[at.join(".")] ?? missing(at)).map((line) => indent + line);
    const isSection = member?.properties !== undefined && VALUE_DESCRIPTIONS[`${at.join(".")}.${firstKey(value)}`];
    if (isSection) return [...about, `${indent}${key}:`, ...lines(value, member, at)];
    const yaml = stringify({ [key]: value }, { version: "1.1", lineWidth: 0, indentSeq: false }).trimEnd();
    return [...about, ...yaml.split("\n").map((line) => indent + line)];
  });
}

function firstKey(value: unknown): string | undefined {
  return typeof value === "object" && value !== null ? Object.keys(value)[0] : undefined;
}

function missing(path: readonly string[]): never {
  throw new TypeError(`value ${path.join(".")} has no description`);
}

function comment(text: string): string[] {
  const result: string[] = [];
  let line = "#";
  for (const word of text.split(" ")) {
    if (line.length + word.length >= WIDTH) {
      result.push(line);
      line = "#";
    }
    line += ` ${word}`;
  }
  return [...result, line];
}
