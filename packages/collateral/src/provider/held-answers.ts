import type { DocumentChecker } from "@confcom/verify/documents";
import type { CollateralAnswer } from "../answer.ts";
import type { AnswerCache, CachedAnswer } from "../cache/cached-answer.ts";
import { compareAge, freshness } from "../cache/freshness.ts";
import { answerSize, MemoryCache } from "../cache/memory-cache.ts";
import { checkAnswer } from "../check/check-answer.ts";
import type { AnswerFacts } from "../check/facts.ts";
import { createAnswerChecker } from "../check/terms.ts";
import type { Clock, Random } from "../clock.ts";
import { CollateralError, messageOf } from "../errors.ts";
import type { CollateralRequest } from "../request.ts";
import type { Fetched } from "../source.ts";
import type { ReportEvent } from "./events.ts";

export interface HeldAnswersOptions {
  /** Root keys, 65 bytes each: nothing is used or kept that is not signed under one of them. */
  readonly trustedRoots: readonly Uint8Array[];
  /** Between processes; undefined: in memory only. */
  readonly cache?: AnswerCache;
  readonly clock: Clock;
  readonly random: Random;
  readonly report?: ReportEvent;
  /** The longest that answers are fresh. Default 168 hours. */
  readonly pckCacheMs?: number;
  readonly collateralCacheMs?: number;
  /** How long past its nextUpdate an answer is given where no newer one can be had. Default 7 days. */
  readonly staleLimitMs?: number;
  /** Bytes of answers in memory. Default 64 MiB. */
  readonly memoryBytes?: number;
}

/** An answer that passed its checks, and for how long it is used without asking. Times in milliseconds since 1970. */
export interface Held {
  readonly answer: CollateralAnswer;
  readonly facts: AnswerFacts;
  readonly source: string;
  readonly size: number;
  readonly storedAt: number;
  readonly freshUntil: number;
  readonly refreshAt: number;
}

const LIFETIME_MS = 168 * 3_600_000;
export const STALE_LIMIT_MS = 7 * 24 * 3_600_000;
/** How long sources are left alone for a key after none could replace what is held: from half of it to all. */
const PAUSE_MS = 60_000;

/** What a provider holds, in memory and on disk: nothing that did not pass its checks, nothing older in the place of something newer. */
export class HeldAnswers {
  readonly #options: HeldAnswersOptions;
  readonly #memory: MemoryCache<Held>;
  readonly #checker: DocumentChecker = createAnswerChecker();

  constructor(options: HeldAnswersOptions) {
    this.#options = options;
    this.#memory = new MemoryCache(options.memoryBytes ?? 64 * 1024 * 1024);
  }

  inMemory(key: string): Held | undefined {
    return this.#memory.peek(key);
  }

  /** What is in memory and may be used as it is; it is then the last to go. */
  used(key: string): Held | undefined {
    const held = this.#memory.get(key);
    const now = this.#options.clock.now();
    return held !== undefined && now < held.freshUntil && held.storedAt <= now + PAUSE_MS ? held : undefined;
  }

  /** What is in memory, else on disk, fresh or not: checked before it is believed, removed if it is not. */
  async find(key: string, request: CollateralRequest): Promise<Held | undefined> {
    const inMemory = this.#memory.peek(key);
    if (inMemory !== undefined && this.#options.clock.now() < inMemory.freshUntil) return inMemory;
    const onDisk = await this.#onDisk(key, request);
    if (onDisk === undefined) return inMemory;
    // Another process may have stored the newer one, or the same one later.
    const age = inMemory === undefined ? 1 : compareAge(onDisk.facts, inMemory.facts);
    const better = age > 0 || (age === 0 && onDisk.freshUntil > (inMemory?.freshUntil ?? 0));
    if (!better) return inMemory;
    this.#memory.set(key, onDisk);
    return onDisk;
  }

  async #onDisk(key: string, request: CollateralRequest): Promise<Held | undefined> {
    const { cache } = this.#options;
    try {
      const cached = await cache?.read(key);
      if (cached === undefined) return undefined;
      try {
        return this.checked(request, cached as CachedAnswer & Fetched);
      } catch (error) {
        this.#report({ kind: "cache-refused", key, message: messageOf(error) });
        await cache?.remove(key);
      }
    } catch (error) {
      this.#report({ kind: "cache-failed", message: messageOf(error) });
    }
    return undefined;
  }

  /** Checks an answer that was had, now or when it was stored. Fails as `checkAnswer` does. */
  checked(request: CollateralRequest, cached: Fetched & Pick<CachedAnswer, "storedAt" | "source">): Held {
    const { trustedRoots, clock, random, pckCacheMs = LIFETIME_MS, collateralCacheMs = LIFETIME_MS } = this.#options;
    const rootCrl = this.#memory.peek("root-ca-crl")?.answer;
    const facts = checkAnswer(request, cached.answer, {
      trustedRoots,
      checker: this.#checker,
      ...(rootCrl?.kind === "root-ca-crl" && request.kind !== "root-ca-crl" ? { rootCaCrl: rootCrl.crl } : {}),
    });
    const lifetime = request.kind === "pck-certificate" ? pckCacheMs : collateralCacheMs;
    const fresh = freshness(cached, facts, lifetime, { now: clock.now(), share: random() });
    const { answer, storedAt, source } = cached;
    return { answer, facts, source, storedAt, size: answerSize(answer), ...fresh };
  }

  /** In memory and on disk. A disk that fails is reported, and does without. */
  async keep(key: string, held: Held, maxAgeMs: number | undefined): Promise<void> {
    this.#memory.set(key, held);
    const { answer, storedAt, source } = held;
    try {
      await this.#options.cache?.write(key, {
        answer,
        storedAt,
        source,
        ...(maxAgeMs === undefined ? {} : { maxAgeMs }),
      });
    } catch (error) {
      this.#report({ kind: "cache-failed", message: messageOf(error) });
    }
  }

  /** Keeps what is held, and leaves the sources alone for a while: each of them failed or had nothing newer. */
  pause(key: string, held: Held): Held {
    const { clock, random, staleLimitMs = STALE_LIMIT_MS } = this.#options;
    const now = clock.now();
    const limit = held.facts.nextUpdate > now ? held.facts.nextUpdate : held.facts.nextUpdate + staleLimitMs;
    const until = Math.min(limit, now + PAUSE_MS * (0.5 + random() / 2));
    const kept = {
      ...held,
      freshUntil: Math.max(until, held.freshUntil > now && held.facts.nextUpdate > now ? held.freshUntil : 0),
      refreshAt: until,
      storedAt: Math.min(held.storedAt, now),
    };
    this.#memory.set(key, kept);
    return kept;
  }

  #report: ReportEvent = (event) => this.#options.report?.(event);
}

export function newest(a: Held | undefined, b: Held | undefined): Held | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return compareAge(a.facts, b.facts) >= 0 ? a : b;
}

/** Where what is held expired, a CRL that its issuer gave out before it is no better for a later nextUpdate: it may revoke less. */
export function refuseLowerCrl(found: Held, held: Held | undefined, now: number): void {
  const [number, least] = [found.facts.crlNumber, held?.facts.crlNumber];
  if (held === undefined || now < held.facts.nextUpdate) return;
  if (number === undefined || least === undefined || number >= least) return;
  throw new CollateralError(
    "ANSWER_EXPIRED",
    `${found.source} answered with CRL number ${number}, which is before number ${least} that was had from ${held.source}`,
    { source: found.source },
  );
}
