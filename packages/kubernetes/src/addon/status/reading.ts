import { type StatusAccess, statusOfFailure } from "./access.ts";
import { listAt, textAt } from "./facts/json.ts";

/** One page of objects; a pod with all its fields is some 20 kB. */
const PAGE = 500;
const BOUNDS = { timeoutMs: 30_000, sizeLimit: 64 << 20 };

/** More objects of one kind than this are not looked at. */
const OBJECT_LIMIT = 50_000;

type Facts<T> = (object: unknown) => T | undefined;

/** Reads objects of a cluster for one snapshot, and remembers what could not be read. */
export class Reading {
  readonly #access: StatusAccess;
  readonly #signal: AbortSignal | undefined;
  readonly #unread: { readonly what: string; readonly why: string }[] = [];

  constructor(access: StatusAccess, signal?: AbortSignal) {
    this.#access = access;
    this.#signal = signal;
  }

  get unread(): readonly { readonly what: string; readonly why: string }[] {
    return this.#unread;
  }

  wasRead(what: string): boolean {
    return !this.#unread.some((each) => each.what === what);
  }

  /**
   * Facts of every object of a collection, page by page. `facts` answers undefined for what is not of interest, so that
   * a large cluster's objects are not all held at once. Rejects as the access does.
   */
  async list<T>(path: string, facts: Facts<T>): Promise<T[]> {
    const found: T[] = [];
    let seen = 0;
    let next = "";
    do {
      const query = new URLSearchParams({ limit: String(PAGE), ...(next === "" ? {} : { continue: next }) });
      const page = await this.#read(`${path}${path.includes("?") ? "&" : "?"}${query}`);
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

  /** The same of a collection that may not be there or may not be read: then empty. */
  optionalList<T>(what: string, path: string, facts: Facts<T>): Promise<readonly T[]> {
    return this.#orElse<readonly T[]>(what, this.list(path, facts), []);
  }

  /** An object; undefined where it is not there or may not be read. */
  optional(what: string, path: string): Promise<unknown> {
    return this.#orElse<unknown>(what, this.#read(path), undefined);
  }

  async #orElse<T>(what: string, reading: Promise<T>, otherwise: T): Promise<T> {
    try {
      return await reading;
    } catch (error) {
      if (statusOfFailure(error) !== 404) this.#unread.push({ what, why: failureText(error) });
      return otherwise;
    }
  }

  #read(path: string): Promise<unknown> {
    return this.#access.read(path, { ...BOUNDS, ...(this.#signal === undefined ? {} : { signal: this.#signal }) });
  }
}

/** Why something could not be read, for a person. */
export function failureText(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 500);
}
