import type { Clock } from "../clock.ts";
import type { DaemonLog } from "../daemon-log.ts";
import type { KubernetesError, KubernetesErrorCode } from "../errors.ts";
import type { StatusProblem } from "./plugin-status.ts";
import { ProblemList } from "./problem-list.ts";

/** A daemon's problems, of each code one: in `/status` while they last, in the log when they begin and when they end. */
export class ReportedProblems {
  readonly #problems: ProblemList;
  readonly #log: DaemonLog;

  constructor(clock: Clock, log: DaemonLog) {
    this.#problems = new ProblemList(clock);
    this.#log = log;
  }

  list(): readonly StatusProblem[] {
    return this.#problems.list();
  }

  report({ code, message, nextStep }: KubernetesError): void {
    if (this.#problems.set(code, message, { nextStep })) this.#log.warn({ code, nextStep }, message);
  }

  solved(code: KubernetesErrorCode): void {
    if (this.#problems.clear(code)) this.#log.info({ code }, "solved");
  }

  /** Makes `present` all that there are of the codes in `codes`. */
  settle(codes: readonly KubernetesErrorCode[], present: readonly KubernetesError[]): void {
    for (const code of codes) if (!present.some((error) => error.code === code)) this.solved(code);
    for (const error of present) this.report(error);
  }
}
