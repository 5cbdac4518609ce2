import { isObject } from "./value-readers.ts";

/**
 * Values over values, as Helm does it, so that one file of values means the same to both: maps are merged, lists and
 * everything else replaced, and null takes away what the defaults say.
 */
export function mergeValues(base: unknown, over: unknown): unknown {
  if (!isObject(base) || !isObject(over)) return over;
  const merged = new Map(Object.entries(base));
  for (const [key, value] of Object.entries(over)) {
    if (value === null) merged.delete(key);
    else if (value !== undefined) merged.set(key, mergeValues(merged.get(key), value));
  }
  return Object.fromEntries(merged);
}
