import type { CollateralAnswer } from "../answer.ts";

/** An answer as it was received. Whether it is genuine is no part of it: who takes one from a cache checks it again. */
export interface CachedAnswer {
  readonly answer: CollateralAnswer;
  /** Milliseconds since 1970. */
  readonly storedAt: number;
  /** From Cache-Control; undefined: the source said nothing. */
  readonly maxAgeMs?: number;
  /** The source's name. */
  readonly source: string;
}

/** Where answers are kept between processes. A failure of it is reported, never a failure of who asks. */
export interface AnswerCache {
  /** Undefined: not there, or damaged and removed. Rejects with CACHE_UNUSABLE where the cache itself fails. */
  read(key: string): Promise<CachedAnswer | undefined>;
  /** Whole or not at all. Rejects with CACHE_UNUSABLE. */
  write(key: string, cached: CachedAnswer): Promise<void>;
  /** An entry that turned out to be useless. */
  remove(key: string): Promise<void>;
}
