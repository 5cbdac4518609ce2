import type { AnswerTo, CollateralAnswer } from "../answer.ts";
import { compareAge } from "../cache/freshness.ts";
import type { AnswerFacts } from "../check/facts.ts";
import { CollateralError } from "../errors.ts";
import { type CollateralRequest, requestKey } from "../request.ts";
import type { CollateralSource } from "../source.ts";
import type { ReportEvent } from "./events.ts";
import {
  type Held,
  HeldAnswers,
  type HeldAnswersOptions,
  newest,
  refuseLowerCrl,
  STALE_LIMIT_MS,
} from "./held-answers.ts";
import { asSourceFailure, combinedFailure, requestWords } from "./source-failures.ts";
import { orAborted, withTimeLimit } from "./time-limit.ts";
import { Turnstile } from "./turnstile.ts";

export interface CollateralProviderOptions extends HeldAnswersOptions {
  /** Asked in this order; retries and breakers are around each of them already. */
  readonly sources: readonly CollateralSource[];
  /** For one request with everything it needs. Default 20 s. */
  readonly deadlineMs?: number;
  /** True: no source is asked. */
  readonly offline?: boolean;
  /** Requests to sources at one time, default 16, and waiting for their turn, default 20,000. */
  readonly concurrency?: number;
  readonly maxWaiting?: number;
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

type Failure = { readonly source: string; readonly error: CollateralError };

/** Background refreshes at one time; a key that is not served before it expires is asked for in the foreground. */
const REFRESHES = 4;

/**
 * Collateral from the first source that has it, checked, kept and given to however many ask at the same time. Answers are fresh until
 * the earliest of nextUpdate, Cache-Control and the configured time, asked for again in the background before that, and given stale up
 * to the limit where nothing newer can be had. Something expired or older never replaces something newer.
 */
export class CollateralProvider {
  readonly #options: CollateralProviderOptions;
  readonly #held: HeldAnswers;
  readonly #flights = new Map<string, Promise<Provided>>();
  readonly #turnstile: Turnstile;
  readonly #closing = new AbortController();
  #refreshes = 0;

  constructor(options: CollateralProviderOptions) {
    this.#options = options;
    this.#held = new HeldAnswers(options);
    this.#turnstile = new Turnstile(options.concurrency ?? 16, options.maxWaiting ?? 20_000);
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
    const held = this.#held.inMemory(requestKey(request));
    return held === undefined || held.answer === provided.answer;
  }

  /** Ends what is under way; a request that waits fails with DEADLINE. */
  close(): void {
    this.#closing.abort();
  }

  #get(request: CollateralRequest): Promise<Provided> {
    const key = requestKey(request);
    const held = this.#held.used(key);
    const now = this.#options.clock.now();
    if (held !== undefined) {
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
  #withinDeadline(key: string, request: CollateralRequest, force: boolean): Promise<Provided> {
    const { clock, deadlineMs = 20_000 } = this.#options;
    const end = clock.now() + deadlineMs;
    return withTimeLimit(deadlineMs, this.#closing.signal, clock, (signal) =>
      this.#turnstile.pass(() => this.#resolve(key, request, force, signal, end), signal),
    );
  }

  async #resolve(
    key: string,
    request: CollateralRequest,
    force: boolean,
    signal: AbortSignal,
    end: number,
  ): Promise<Provided> {
    const held = await this.#held.find(key, request);
    if (held !== undefined && !force && this.#options.clock.now() < held.freshUntil) {
      this.#report({ kind: "hit", key });
      return this.#give(held, true);
    }
    if (!force) this.#report({ kind: "miss", key });
    const { clock, offline = false, sources } = this.#options;
    const failures: Failure[] = [];
    let expired: Held | undefined;
    for (const [index, source] of offline ? [] : sources.entries()) {
      if (signal.aborted) break;
      try {
        const share = (end - clock.now()) / (sources.length - index);
        const found = await this.#ask(key, request, source, signal, share);
        refuseLowerCrl(found.held, held, clock.now());
        if (found.held.facts.nextUpdate > clock.now()) return await this.#accept(key, found, held);
        expired = newest(expired, found.held);
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
  #ask(key: string, request: CollateralRequest, source: CollateralSource, signal: AbortSignal, ms: number) {
    const { clock } = this.#options;
    const began = clock.now();
    return withTimeLimit(Math.max(0, ms), signal, clock, async (both) => {
      const fetched = await orAborted(source.fetch(request, { signal: both }), both, source.name);
      const held = this.#held.checked(request, { ...fetched, storedAt: clock.now(), source: source.name });
      this.#report({ kind: "fetched", key, source: source.name, ms: clock.now() - began });
      return { held, maxAgeMs: fetched.maxAgeMs };
    });
  }

  async #accept(
    key: string,
    { held: found, maxAgeMs }: { readonly held: Held; readonly maxAgeMs: number | undefined },
    held: Held | undefined,
  ): Promise<Provided> {
    const now = this.#options.clock.now();
    if (held !== undefined && compareAge(found.facts, held.facts) < 0 && now < held.facts.nextUpdate) {
      this.#report({ kind: "older", key, source: found.source });
      return this.#give(this.#held.pause(key, held), true);
    }
    if (maxAgeMs === 0) return this.#give(found, false);
    if (held !== undefined) this.#report({ kind: "refreshed", key, source: found.source });
    await this.#held.keep(key, found, maxAgeMs);
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
    const { clock, staleLimitMs = STALE_LIMIT_MS, offline = false, sources } = this.#options;
    const now = clock.now();
    const expiredFor = best === undefined ? Number.POSITIVE_INFINITY : now - best.facts.nextUpdate;
    if (best !== undefined && (expiredFor <= staleLimitMs || staleLimitMs === Number.POSITIVE_INFINITY)) {
      const kept = this.#held.pause(key, best);
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

  #give({ answer, facts, source }: Held, fromCache: boolean): Provided {
    return { answer, facts, source, fromCache, stale: facts.nextUpdate <= this.#options.clock.now() };
  }

  #report: ReportEvent = (event) => this.#options.report?.(event);
}

export function createCollateralProvider(options: CollateralProviderOptions): CollateralProvider {
  return new CollateralProvider(options);
}
