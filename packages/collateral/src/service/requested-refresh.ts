import type { PlatformKey } from "../store/store.ts";
import type { ServiceContext } from "./context.ts";
import type { Refresh, RefreshOutcome } from "./refresh.ts";
import { ServiceRefusal } from "./status.ts";

/** How long the outcome of a round that nobody waited for any more is kept for who asks again. */
const KEPT_MS = 3_600_000;
/** Rounds over different FMSPCs, and their outcomes. */
const ROUNDS = 16;
const RETRY_S = 30;

interface Round {
  readonly ended: Promise<RefreshOutcome>;
  /** Once it ended: when, and with what. */
  done: { readonly at: number; readonly outcome: RefreshOutcome } | undefined;
}

/**
 * POST and GET /refresh. Who asks while a round is under way waits for that one. A round of many platforms takes longer than
 * a client waits: then the answer is 503 with Retry-After while the round goes on, and who asks again gets its outcome. An
 * interrupted round is taken up where it was by the next request.
 */
export class RequestedRefresh {
  readonly #context: ServiceContext;
  readonly #refresh: Refresh;
  readonly #rounds = new Map<string, Round>();
  readonly #interrupted = new Map<string, PlatformKey | undefined>();

  constructor(context: ServiceContext, refresh: Refresh) {
    this.#context = context;
    this.#refresh = refresh;
  }

  /** Fails with ServiceRefusal 503 while the round goes on. */
  async run(certificatesOf: readonly string[] | undefined): Promise<RefreshOutcome> {
    const key = certificatesOf === undefined ? "documents" : `certificates/${[...certificatesOf].sort().join()}`;
    this.#forgetOld();
    const round = this.#rounds.get(key) ?? this.#begin(key, certificatesOf);
    const outcome = round.done?.outcome ?? (await this.#within(round.ended));
    if (outcome === undefined) {
      throw new ServiceRefusal(503, "the refresh goes on; ask again for its outcome", { retryAfter: RETRY_S });
    }
    // Told to somebody: who asks after this wants another.
    if (this.#rounds.get(key) === round) this.#rounds.delete(key);
    return outcome;
  }

  #begin(key: string, certificatesOf: readonly string[] | undefined): Round {
    if (this.#rounds.size >= ROUNDS)
      throw new ServiceRefusal(503, "too many rounds of refresh", { retryAfter: RETRY_S });
    const { clock, flights } = this.#context;
    const ended = flights.trusted.run(`refresh/${key}`, () =>
      certificatesOf === undefined
        ? this.#refresh.documents("request")
        : this.#refresh.certificates(certificatesOf, this.#interrupted.get(key)),
    );
    const round: Round = { ended, done: undefined };
    this.#rounds.set(key, round);
    ended.then(
      (outcome) => {
        round.done = { at: clock.now(), outcome };
        this.#interrupted.delete(key);
        if (outcome.interrupted !== undefined && this.#interrupted.size < ROUNDS) {
          this.#interrupted.set(key, outcome.interrupted.after);
        }
      },
      () => this.#rounds.delete(key),
    );
    return round;
  }

  /** Undefined: not yet. */
  async #within(ended: Promise<RefreshOutcome>): Promise<RefreshOutcome | undefined> {
    const { clock, limits } = this.#context;
    let timer: unknown;
    const late = new Promise<undefined>((resolve) => {
      timer = clock.setTimeout(() => resolve(undefined), limits.refreshAnswerMs);
    });
    try {
      return await Promise.race([ended, late]);
    } finally {
      clock.clearTimeout(timer);
    }
  }

  #forgetOld(): void {
    const now = this.#context.clock.now();
    for (const [key, { done }] of this.#rounds) {
      if (done !== undefined && now - done.at > KEPT_MS) this.#rounds.delete(key);
    }
  }
}
