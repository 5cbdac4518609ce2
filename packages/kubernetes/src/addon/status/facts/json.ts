/**
 * Reading what an API server, or whoever answers in its place, sent: any value may be missing or of another type. What
 * is not as expected reads as empty; nothing here throws.
 */
export function at(value: unknown, ...path: readonly string[]): unknown {
  let found = value;
  for (const name of path) {
    if (typeof found !== "object" || found === null || Array.isArray(found) || !Object.hasOwn(found, name)) {
      return undefined;
    }
    found = (found as Record<string, unknown>)[name];
  }
  return found;
}

/** What a message of the cluster may take in a fact, characters. */
const TEXT_LIMIT = 4096;

/** How many elements of a list, or keys of a map, are looked at. */
const ELEMENT_LIMIT = 1024;

export function textAt(value: unknown, ...path: readonly string[]): string {
  const text = at(value, ...path);
  return typeof text === "string" ? text.slice(0, TEXT_LIMIT) : "";
}

export function numberAt(value: unknown, ...path: readonly string[]): number {
  const number = at(value, ...path);
  return typeof number === "number" && Number.isFinite(number) ? number : 0;
}

export function listAt(value: unknown, ...path: readonly string[]): readonly unknown[] {
  const list = at(value, ...path);
  return Array.isArray(list) ? list.slice(0, ELEMENT_LIMIT) : [];
}

/** Keys and texts of a map; a number that stands where a text should is one too. */
export function mapAt(value: unknown, ...path: readonly string[]): ReadonlyMap<string, string> {
  const map = at(value, ...path);
  if (typeof map !== "object" || map === null || Array.isArray(map)) return new Map();
  const entries = Object.entries(map).slice(0, ELEMENT_LIMIT);
  return new Map(
    entries.flatMap(([key, item]): [string, string][] => {
      if (typeof item === "number" && Number.isFinite(item)) return [[key, String(item)]];
      return typeof item === "string" ? [[key, item.slice(0, TEXT_LIMIT)]] : [];
    }),
  );
}

/** Milliseconds since 1970 of an RFC 3339 time; undefined for what is none. */
export function timeAt(value: unknown, ...path: readonly string[]): number | undefined {
  const time = Date.parse(textAt(value, ...path));
  return Number.isNaN(time) ? undefined : time;
}
