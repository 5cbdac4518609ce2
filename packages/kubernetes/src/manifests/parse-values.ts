import { parse } from "yaml";
import { messageOf } from "../errors.ts";
import { isObject, refuse } from "./value-readers.ts";

/** A values file, YAML or JSON; an empty one holds none. `name` is for the error: KubernetesError `MANIFEST_VALUE`. */
export function parseValues(text: string, name: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    // Aliases can make a small file a huge object; duplicate keys are refused by the parser.
    value = parse(text, { maxAliasCount: 100 }) ?? {};
  } catch (error) {
    return refuse("", `${name} is not YAML: ${messageOf(error)}`);
  }
  return isObject(value) ? value : refuse("", `${name} is not a map of values`);
}
