import type { CollateralAnswer } from "../answer.ts";

/** What one answer costs beside its texts: objects, key and map. */
const OVERHEAD = 1024;

/** Bytes that an answer holds, near enough to bound memory by. */
export function answerSize(answer: CollateralAnswer): number {
  let size = OVERHEAD;
  for (const value of Object.values(answer) as (string | Uint8Array)[]) size += value.length;
  return size;
}

/** The least recently used go when their bytes exceed the bound. */
export class MemoryCache<Entry extends { readonly size: number }> {
  readonly #entries = new Map<string, Entry>();
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get entries(): number {
    return this.#entries.size;
  }

  /** The entry, now the last one to go. */
  get(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry;
  }

  /** The entry; its turn to go stays what it is. */
  peek(key: string): Entry | undefined {
    return this.#entries.get(key);
  }

  /** One that is larger than all the room there is, is not kept. */
  set(key: string, entry: Entry): void {
    this.delete(key);
    if (entry.size > this.#maxBytes) return;
    this.#entries.set(key, entry);
    this.#bytes += entry.size;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#maxBytes) break;
      this.delete(oldest);
    }
  }

  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#bytes -= entry.size;
  }
}
