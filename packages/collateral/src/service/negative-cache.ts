import type { ServiceRefusal } from "./status.ts";

interface Entry {
  readonly refusal: ServiceRefusal;
  readonly until: number;
}

/**
 * What the upstream said no to, for a short while: the same question does not reach it again. Bounded; the group asked
 * longest ago goes first. A group is what is forgotten together: all questions about one platform, or one document.
 */
export class NegativeCache {
  readonly #groups = new Map<string, Map<string, Entry>>();
  readonly #limits: { readonly entries: number; readonly ttlMs: number };
  readonly #now: () => number;
  #size = 0;

  constructor(limits: { readonly entries: number; readonly ttlMs: number }, now: () => number) {
    this.#limits = limits;
    this.#now = now;
  }

  get size(): number {
    return this.#size;
  }

  get(group: string, key: string): ServiceRefusal | undefined {
    const entry = this.#groups.get(group)?.get(key);
    if (entry === undefined) return undefined;
    if (this.#now() < entry.until) return entry.refusal;
    this.#remove(group, key);
    return undefined;
  }

  put(group: string, key: string, refusal: ServiceRefusal): void {
    this.#remove(group, key);
    while (this.#size >= this.#limits.entries) this.#dropOldest();
    const entries = this.#groups.get(group) ?? new Map<string, Entry>();
    entries.set(key, { refusal, until: this.#now() + this.#limits.ttlMs });
    this.#groups.set(group, entries);
    this.#size += 1;
  }

  forget(group: string): void {
    this.#size -= this.#groups.get(group)?.size ?? 0;
    this.#groups.delete(group);
  }

  clear(): void {
    this.#groups.clear();
    this.#size = 0;
  }

  #remove(group: string, key: string): void {
    const entries = this.#groups.get(group);
    if (entries?.delete(key) !== true) return;
    this.#size -= 1;
    if (entries.size === 0) this.#groups.delete(group);
  }

  #dropOldest(): void {
    const [group, entries] = this.#groups.entries().next().value ?? [];
    const key = entries?.keys().next().value;
    if (group !== undefined && key !== undefined) this.#remove(group, key);
  }
}
