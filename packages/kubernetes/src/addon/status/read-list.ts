import type { StatusAccess } from "./access.ts";
import { listAt, textAt } from "./facts/json.ts";

/** One page of objects; a pod with all its fields is some 20 kB. */
const PAGE = 500;
const PAGE_BYTES = 64 << 20;
const PAGE_TIMEOUT = 30_000;

/** More objects of one kind than this are not looked at. */
const OBJECT_LIMIT = 50_000;

/** An object. Rejects as the access does. */
export function readObject(access: StatusAccess, path: string, signal?: AbortSignal): Promise<unknown> {
  const bounds = { timeoutMs: PAGE_TIMEOUT, sizeLimit: PAGE_BYTES, ...(signal === undefined ? {} : { signal }) };
  return access.read(path, bounds);
}

/**
 * Facts of every object of a collection, page by page. `facts` answers undefined for what is not of interest, so that a
 * large cluster's objects are not all held at once.
 */
export async function readList<T>(
  access: StatusAccess,
  path: string,
  facts: (object: unknown) => T | undefined,
  signal?: AbortSignal,
): Promise<T[]> {
  const found: T[] = [];
  let seen = 0;
  let next = "";
  do {
    const query = new URLSearchParams({ limit: String(PAGE), ...(next === "" ? {} : { continue: next }) });
    const page = await readObject(access, `${path}${path.includes("?") ? "&" : "?"}${query}`, signal);
    const items = listAt(page, "items");
    for (const item of items) {
      const fact = facts(item);
      if (fact !== undefined) found.push(fact);
    }
    seen += items.length;
    next = items.length === 0 ? "" : textAt(page, "metadata", "continue");
  } while (next !== "" && seen < OBJECT_LIMIT);
  return found;
}
