import type { AnswerTo } from "../answer.ts";
import type { Clock } from "../clock.ts";
import { CollateralError, messageOf } from "../errors.ts";
import type { CollateralRequest } from "../request.ts";
import type { CollateralUpstream, PckCertificates, PlatformCredential } from "../source.ts";
import type { ServiceReport, UpstreamOperation, UpstreamShare } from "./report.ts";
import { ServiceRefusal } from "./status.ts";
import type { UpstreamBudget } from "./upstream-budget.ts";

/** On whose behalf the upstream is called. */
export interface Caller {
  readonly share: UpstreamShare;
  /** Waits for the budget's rate rather than being refused. */
  readonly patient: boolean;
  readonly signal: AbortSignal;
}

/** The upstream, within its budget; every call is reported. */
export class UpstreamCalls {
  readonly #upstream: CollateralUpstream;
  readonly #budget: UpstreamBudget;
  readonly #clock: Clock;
  readonly #report: ServiceReport;

  constructor(upstream: CollateralUpstream, budget: UpstreamBudget, clock: Clock, report: ServiceReport) {
    this.#upstream = upstream;
    this.#budget = budget;
    this.#clock = clock;
    this.#report = report;
  }

  /** Throws ServiceRefusal 503 where a miss has no budget: before a lease or anything else is taken for it. */
  checkMiss(): void {
    this.#budget.checkMiss();
  }

  async fetch<R extends CollateralRequest>(request: R, caller: Caller): Promise<AnswerTo<R>> {
    const { signal } = caller;
    const { answer } = await this.#call(request.kind, caller, () => this.#upstream.fetch(request, { signal }));
    return answer;
  }

  pckCertificates(platform: PlatformCredential, pceId: string, caller: Caller): Promise<PckCertificates> {
    const { signal } = caller;
    return this.#call("pck-certificates", caller, () => this.#upstream.pckCertificates(platform, pceId, { signal }));
  }

  /** For an answer that came and is not genuine: the upstream's failure too. */
  distrusted(operation: UpstreamOperation, caller: Caller, error: unknown): void {
    this.#ended(operation, caller, 0, error);
  }

  #call<T>(operation: UpstreamOperation, caller: Caller, call: () => Promise<T>): Promise<T> {
    return this.#budget.run(caller.share, caller.patient, caller.signal, async () => {
      const start = this.#clock.now();
      try {
        const result = await call();
        this.#ended(operation, caller, this.#clock.now() - start, undefined);
        return result;
      } catch (error) {
        this.#ended(operation, caller, this.#clock.now() - start, error);
        throw error;
      }
    });
  }

  #ended(operation: UpstreamOperation, { share }: Caller, durationMs: number, error: unknown): void {
    const source = this.#upstream.name;
    if (error === undefined) this.#report({ event: "upstream", operation, source, share, durationMs, outcome: "ok" });
    else if (!(error instanceof ServiceRefusal)) {
      const outcome = error instanceof CollateralError ? error.code : "SOURCE_ANSWER";
      const reason = messageOf(error);
      this.#report({ event: "upstream", operation, source, share, durationMs, outcome, reason });
    }
  }
}
