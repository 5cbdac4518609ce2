import { type JsonSchema, nullableSchema } from "../../../packages/kubernetes/src/manifests/json-schema.ts";
import { VALUE_DESCRIPTIONS } from "../../../packages/kubernetes/src/manifests/value-descriptions.ts";
import { VALUES_READER } from "../../../packages/kubernetes/src/manifests/values.ts";

/** `values.schema.json`: the checks that the command makes on each value. */
export function valuesSchema(): JsonSchema {
  const { namespace, ...properties } = described(VALUES_READER.schema, []).properties ?? {};
  const { required = [], ...schema } = VALUES_READER.schema;
  if (namespace === undefined) throw new TypeError("there is no value namespace");
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Values of the chart confcom",
    ...schema,
    // The release has a namespace; a file of values that names it for the command may be used here too.
    required: required.filter((name) => name !== "namespace"),
    // Of other charts that this one may be a part of.
    properties: { namespace: nullableSchema(namespace), ...properties, global: { type: "object" } },
  };
}

function described(schema: JsonSchema, path: readonly string[]): JsonSchema {
  const description = VALUE_DESCRIPTIONS[path.join(".")];
  const own = description === undefined ? schema : { description, ...schema };
  if (schema.properties === undefined) return own;
  const properties = Object.entries(schema.properties).map(([key, member]) => [key, described(member, [...path, key])]);
  return { ...own, properties: Object.fromEntries(properties) };
}

const WIDTH = 120;

/** The schema as the formatter of this repository writes JSON: lists of words stand on one line where they have room. */
export function schemaText(schema: JsonSchema): string {
  const text = JSON.stringify(schema, null, 2);
  const lists = /^( *)(.*)\[\n([^[\]{}]*)\n *\](,?)$/gm;
  const written = text.replace(lists, (expanded, indent: string, key: string, words: string, comma: string) => {
    const line = `${indent}${key}[${words
      .split("\n")
      .map((word) => word.trim())
      .join(" ")}]${comma}`;
    return line.length > WIDTH ? expanded : line;
  });
  return `${written}\n`;
}
