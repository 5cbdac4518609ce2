import { parse } from "yaml";
import { messageOf } from "../errors.ts";
import { isObject, refuse } from "./value-readers.ts";

type Values = Readonly<Record<string, unknown>>;

/** Deeper than any value lies. */
const MAX_DEPTH = 16;

/**
 * `values` with one `key=value` of a command line set. Dots in the key descend, `\.` is a dot in a name; the value is
 * YAML (`true`, `10`, `[a, b]`, `"10"`, `null`). Throws KubernetesError `MANIFEST_VALUE`.
 */
export function setValue(values: Values, assignment: string): Values {
  const equals = assignment.indexOf("=");
  if (equals < 1) return refuse(assignment, "write it as key=value");
  const key = assignment.slice(0, equals);
  const path = key.split(/(?<!\\)\./).map((name) => name.replaceAll("\\.", "."));
  if (path.length > MAX_DEPTH || path.includes("")) return refuse(key, "it is no name of a value");
  return assign(values, path, parsed(assignment.slice(equals + 1), key));
}

function assign(values: Values, [name, ...rest]: readonly string[], value: unknown): Values {
  if (name === undefined) return values;
  const present = Object.hasOwn(values, name) ? values[name] : undefined;
  const next = rest.length === 0 ? value : assign(isObject(present) ? present : {}, rest, value);
  return Object.fromEntries([...Object.entries(values).filter(([other]) => other !== name), [name, next]]);
}

function parsed(text: string, key: string): unknown {
  try {
    return text === "" ? "" : parse(text, { maxAliasCount: 0 });
  } catch (error) {
    return refuse(key, `it is not YAML: ${messageOf(error)}`);
  }
}
