import { stringify } from "yaml";

/** A value as YAML, by the rules of YAML 1.1, which kubectl reads by. */
export function yamlText(value: unknown): string {
  return stringify(value, { version: "1.1", aliasDuplicateObjects: false, lineWidth: 0, indentSeq: false });
}
