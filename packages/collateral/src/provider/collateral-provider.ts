import type { DocumentChecker } from "@confcom/verify/documents";
import type { AnswerTo, CollateralAnswer } from "../answer.ts";
import type { AnswerCache, CachedAnswer } from "../cache/cached-answer.ts";
import { compareAge, freshness } from "../cache/freshness.ts";
import { answerSize, MemoryCache } from "../cache/memory-cache.ts";
import { checkAnswer } from "../check/check-answer.ts";
import type { AnswerFacts } from "../check/facts.ts";
import { createAnswerChecker } from "../check/terms.ts";
import type { Clock, Random } from "../clock.ts";
import { CollateralError } from "../errors.ts";
import { type CollateralRequest, requestKey } from "../request.ts";
import type { CollateralSource, Fetched } from "../source.ts";
import type { ReportEvent } from "./events.ts";
import { asSourceFailure, combinedFailure, requestWords } from "./source-failures.ts";
import { Turnstile } from "./turnstile.ts";

export interface CollateralProviderOptions {
  /** Asked in this order; retries and breakers are around each of them already. */
  readonly sources: readonly CollateralSource[];
  /** Root keys, 65 bytes each: nothing is used or kept that is not signed under one of them. */
  readonly trustedRoots: readonly Uint8Array[];
  /** Between processes; undefined: in memory only. */
  readonly cache?: AnswerCache;
  readonly clock: Clock;
  readonly random: Random;
  readonly report?: ReportEvent;
  /** How long past its nextUpdate an answer is given where no newer one can be had. Default 7 days. */
  readonly staleLimitMs?: number;
  /** For one request with everything it needs. Default 20 s. */
  readonly deadlineMs?: number;
  /** The longest that answers are fresh. Default 168 hours. */
  readonly pckCacheMs?: number;
  readonly collateralCacheMs?: number;
  /** True: no source is asked. */
  readonly offline?: boolean;
  /** Requests to sources at one time, default 16, and waiting for their turn, default 20,000. */
  readonly concurrency?: number;
  readonly maxWaiting?: number;
  /** Bytes of answers in memory. Default 64 MiB. */
  readonly memoryBytes?: number;
}

/** An answer that passed its checks. */
export interface Provided<Answer extends CollateralAnswer = CollateralAnswer> {
  readonly answer: Answer;
  readonly facts: AnswerFacts;
  /** Who gave it, now or when it was stored. */
  readonly source: string;
  /** Past its nextUpdate. */
  readonly stale: boolean;
  readonly fromCache: boolean;
}

interface Held {
  readonly answer: CollateralAnswer;
  readonly facts: AnswerFacts;
  readonly source: string;
  readonly size: number;
  readonly storedAt: number;
  readonly freshUntil: number;
  readonly refreshAt: number;
}

type Failure = { readonly source: string; readonly error: CollateralError };

const WEEK_MS = 168 * 3_600_000;
/** Background refreshes at one time; a key that is not served before it expires is asked for in the foreground. */
const REFRESHES = 4;
/** How long sources are left alone for a key after none could replace what is held: from half of it to all. */
const PAUSE_MS = 60_000;

/**
 * Collateral from the first source that has it, checked, kept and given to however many ask at the same time. Answers are fresh until
 * the earliest of nextUpdate, Cache-Control and the configured time, asked for again in the background before that, and given stale up
 * to the limit where nothing newer can be had. Something expired or older never replaces something newer.
 */
export class CollateralProvider {
  readonly #options: CollateralProviderOptions;
  readonly #memory: MemoryCache<Held>;
  readonly #flights = new Map<string, Promise<Provided>>();
  readonly #turnstile: Turnstile;
  readonly #checker: DocumentChecker;
  readonly #closing = new AbortController();
  #refreshes = 0;

  constructor(options: CollateralProviderOptions) {
    this.#options = options;
    this.#memory = new MemoryCache(options.memoryBytes ?? 64 * 1024 * 1024);
    this.#turnstile = new Turnstile(options.concurrency ?? 16, options.maxWaiting ?? 20_000);
    this.#checker = createAnswerChecker();
  }

  /**
   * Fails with CollateralError: what the sources failed with (its message names every one), ANSWER_EXPIRED past the stale limit,
   * DEADLINE, NO_SOURCE.
   */
  async get<R extends CollateralRequest>(request: R): Promise<Provided<AnswerTo<R>>> {
    return (await this.#get(request)) as Provided<AnswerTo<R>>;
  }

  /** The same, but sources are asked even if what is held is fresh. */
  async refreshed<R extends CollateralRequest>(request: R): Promise<Provided<AnswerTo<R>>> {
    const key = requestKey(request);
    return (await (this.#flights.get(key) ?? this.#fly(key, request, true))) as Provided<AnswerTo<R>>;
  }

  /** Whether this is what is held now: no refresh came in between. */
  isCurrent(request: CollateralRequest, provided: Provided): boolean {
    const held = this.#memory.peek(requestKey(request));
    return held === undefined || held.answer === provided.answer;
  }

  /** Ends what is under way; a request that waits fails with DEADLINE. */
  close(): void {
    this.#closing.abort();
  }

  #get(request: CollateralRequest): Promise<Provided> {
    const key = requestKey(request);
    const held = this.#memory.get(key);
    const now = this.#options.clock.now();
    if (held !== undefined && now < held.freshUntil && held.storedAt <= now + PAUSE_MS) {
      const expiredForMs = now - held.facts.nextUpdate;
      if (expiredForMs < 0) this.#report({ kind: "hit", key });
      else this.#report({ kind: "stale", key, expiredForMs, source: held.source });
      if (now >= held.refreshAt) this.#refresh(key, request);
      return Promise.resolve(this.#give(held, true));
    }
    return this.#flights.get(key) ?? this.#fly(key, request, false);
  }

  #refresh(key: string, request: CollateralRequest): void {
    if (this.#options.offline === true || this.#flights.has(key) || this.#refreshes >= REFRESHES) return;
    this.#refreshes++;
    this.#fly(key, request, true)
      // What failed was reported where it failed; what is held stays in use.
      .catch(() => undefined)
      .finally(() => this.#refreshes--);
  }

  #fly(key: string, request: CollateralRequest, force: boolean): Promise<Provided> {
    const flight = this.#withinDeadline(key, request, force).finally(() => this.#flights.delete(key));
    this.#flights.set(key, flight);
    return flight;
  }

  /** Everything within one deadline, the wait for a turn included. */
  async #withinDeadline(key: string, request: CollateralRequest, force: boolean): Promise<Provided> {
    const { clock, deadlineMs = 20_000 } = this.#options;
    const over = new AbortController();
    const end = clock.now() + deadlineMs;
    const timer = clock.setTimeout(() => over.abort(new DOMException("the time is over", "TimeoutError")), deadlineMs);
    try {
      const signal = AbortSignal.any([over.signal, this.#closing.signal]);
      return await this.#turnstile.pass(() => this.#resolve(key, request, force, signal, end), signal);
    } finally {
      clock.clearTimeout(timer);
    }
  }

  async #resolve(
    key: string,
    request: CollateralRequest,
    force: boolean,
    signal: AbortSignal,
    end: number,
  ): Promise<Provided> {
    const held = await this.#held(key, request);
    if (held !== undefined && !force && this.#options.clock.now() < held.freshUntil) {
      this.#report({ kind: "hit", key });
      return this.#give(held, true);
    }
    if (!force) this.#report({ kind: "miss", key });
    const { offline = false, sources } = this.#options;
    const failures: Failure[] = [];
    let expired: Held | undefined;
    for (const [index, source] of offline ? [] : sources.entries()) {
      if (signal.aborted) break;
      try {
        const found = await this.#ask(
          key,
          request,
          source,
          signal,
          (end - this.#options.clock.now()) / (sources.length - index),
        );
        refuseLowerCrl(found.held, held, this.#options.clock.now());
        if (found.held.facts.nextUpdate > this.#options.clock.now())
          return await this.#accept(key, found, held, failures);
        expired = expired === undefined || compareAge(found.held.facts, expired.facts) > 0 ? found.held : expired;
        const when = new Date(found.held.facts.nextUpdate).toISOString();
        throw new CollateralError("ANSWER_EXPIRED", `${source.name} answered with what expired ${when}`);
      } catch (error) {
        const failure = { source: source.name, error: asSourceFailure(error, source.name) };
        failures.push(failure);
        // What ends because this provider was closed says nothing about the source.
        if (this.#closing.signal.aborted) break;
        const { code, message } = failure.error;
        this.#report({ kind: "failed", key, source: source.name, code, message });
      }
    }
    return this.#fallBack(key, request, newest(held, expired), failures, signal);
  }

  /** One source, in its share of the time that is left. */
  async #ask(key: string, request: CollateralRequest, source: CollateralSource, signal: AbortSignal, ms: number) {
    const { clock, report } = this.#options;
    const began = clock.now();
    const share = new AbortController();
    const timer = clock.setTimeout(
      () => share.abort(new DOMException("the time is over", "TimeoutError")),
      Math.max(0, ms),
    );
    try {
      const both = AbortSignal.any([signal, share.signal]);
      const fetched = await orAborted(source.fetch(request, { signal: both }), both, source.name);
      const held = this.#check(request, { ...fetched, storedAt: clock.now(), source: source.name });
      report?.({ kind: "fetched", key, source: source.name, ms: clock.now() - began });
      return { held, maxAgeMs: fetched.maxAgeMs };
    } finally {
      clock.clearTimeout(timer);
    }
  }

  #check(request: CollateralRequest, cached: Fetched & Pick<CachedAnswer, "storedAt" | "source">): Held {
    const { trustedRoots, clock, random, pckCacheMs = WEEK_MS, collateralCacheMs = WEEK_MS } = this.#options;
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

  /** What is in memory, else on disk: checked before it is believed, removed if it is not. */
  async #held(key: string, request: CollateralRequest): Promise<Held | undefined> {
    const { cache } = this.#options;
    const inMemory = this.#memory.peek(key);
    if (inMemory !== undefined && this.#options.clock.now() < inMemory.freshUntil) return inMemory;
    if (cache === undefined) return inMemory;
    let onDisk: Held | undefined;
    try {
      const cached = await cache.read(key);
      if (cached === undefined) return inMemory;
      try {
        onDisk = this.#check(request, cached as CachedAnswer & Fetched);
      } catch (error) {
        this.#report({ kind: "cache-refused", key, message: error instanceof Error ? error.message : String(error) });
        await cache.remove(key);
        return inMemory;
      }
    } catch (error) {
      this.#cacheFailed(error);
      return inMemory;
    }
    // Another process may have stored the newer one, or the same one later.
    const age = inMemory === undefined ? 1 : compareAge(onDisk.facts, inMemory.facts);
    const better = age > 0 || (age === 0 && onDisk.freshUntil > (inMemory?.freshUntil ?? 0));
    if (!better) return inMemory;
    this.#memory.set(key, onDisk);
    return onDisk;
  }

  async #accept(
    key: string,
    { held: found, maxAgeMs }: { readonly held: Held; readonly maxAgeMs: number | undefined },
    held: Held | undefined,
    failures: Failure[],
  ): Promise<Provided> {
    const now = this.#options.clock.now();
    if (held !== undefined && compareAge(found.facts, held.facts) < 0 && now < held.facts.nextUpdate) {
      this.#report({ kind: "older", key, source: found.source });
      return this.#give(this.#pause(key, held), true);
    }
    failures.length = 0;
    if (maxAgeMs === 0) return this.#give(found, false);
    this.#memory.set(key, found);
    if (held !== undefined) this.#report({ kind: "refreshed", key, source: found.source });
    const { answer, storedAt, source } = found;
    try {
      await this.#options.cache?.write(key, {
        answer,
        storedAt,
        source,
        ...(maxAgeMs === undefined ? {} : { maxAgeMs }),
      });
    } catch (error) {
      this.#cacheFailed(error);
    }
    return this.#give(found, false);
  }

  /** No source gave anything that holds: what there is, if it is not too old, or why there is nothing. */
  #fallBack(
    key: string,
    request: CollateralRequest,
    best: Held | undefined,
    failures: readonly Failure[],
    signal: AbortSignal,
  ): Provided {
    const { clock, staleLimitMs = WEEK_MS, offline = false, sources } = this.#options;
    const now = clock.now();
    const expiredFor = best === undefined ? Number.POSITIVE_INFINITY : now - best.facts.nextUpdate;
    if (best !== undefined && (expiredFor <= staleLimitMs || staleLimitMs === Number.POSITIVE_INFINITY)) {
      const kept = this.#pause(key, best);
      if (expiredFor >= 0) this.#report({ kind: "stale", key, expiredForMs: expiredFor, source: best.source });
      return this.#give(kept, true);
    }
    const what = requestWords(request);
    if (best !== undefined) {
      const when = new Date(best.facts.nextUpdate).toISOString();
      const why = failures.map(({ error }) => error.message).join("; ");
      throw new CollateralError(
        "ANSWER_EXPIRED",
        `${what} from ${best.source} expired ${when}, longer ago than the stale limit${why === "" ? "" : `, and no newer one can be had: ${why}`}`,
        { cause: failures[0]?.error, source: best.source },
      );
    }
    if (offline) throw new CollateralError("NOT_FOUND", `${what} is not in the cache, and offline no source is asked`);
    if (sources.length === 0) throw new CollateralError("NO_SOURCE", `${what}: there is no source to ask`);
    if (failures.length === 0) throw new CollateralError("DEADLINE", `${what}: no source could be asked in time`);
    throw combinedFailure(request, failures, signal.aborted ? "DEADLINE" : undefined);
  }

  /** Keeps what is held, and leaves the sources alone for a while: each of them failed or had nothing newer. */
  #pause(key: string, held: Held): Held {
    const { clock, random, staleLimitMs = WEEK_MS } = this.#options;
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

  #give({ answer, facts, source }: Held, fromCache: boolean): Provided {
    return { answer, facts, source, fromCache, stale: facts.nextUpdate <= this.#options.clock.now() };
  }

  #report: ReportEvent = (event) => this.#options.report?.(event);

  #cacheFailed(error: unknown): void {
    this.#report({ kind: "cache-failed", message: error instanceof Error ? error.message : String(error) });
  }
}

function newest(a: Held | undefined, b: Held | undefined): Held | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return compareAge(a.facts, b.facts) >= 0 ? a : b;
}

/** Where what is held expired, a CRL that its issuer gave out before it is no better for a later nextUpdate: it may revoke less. */
function refuseLowerCrl(found: Held, held: Held | undefined, now: number): void {
  const [number, least] = [found.facts.crlNumber, held?.facts.crlNumber];
  if (held === undefined || now < held.facts.nextUpdate) return;
  if (number === undefined || least === undefined || number >= least) return;
  throw new CollateralError(
    "ANSWER_EXPIRED",
    `${found.source} answered with CRL number ${number}, which is before number ${least} that was had from ${held.source}`,
    { source: found.source },
  );
}

/** Ends at the signal even if the source does not listen to it. */
function orAborted<T>(work: Promise<T>, signal: AbortSignal, source: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () =>
      reject(new CollateralError("SOURCE_TIMEOUT", `${source} did not answer in its share of the time`, { source }));
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

export function createCollateralProvider(options: CollateralProviderOptions): CollateralProvider {
  return new CollateralProvider(options);
}
