import type { AnswerCache, CachedAnswer } from "../../cache/index.ts";

/** A cache of what is written, for as long as the test. */
export class CacheDouble implements AnswerCache {
  readonly entries = new Map<string, CachedAnswer>();
  async read(key: string) {
    return this.entries.get(key);
  }
  async write(key: string, cached: CachedAnswer) {
    this.entries.set(key, cached);
  }
  async remove(key: string) {
    this.entries.delete(key);
  }
}
