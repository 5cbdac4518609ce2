import type { Clock } from "../clock.ts";
import { KUBERNETES_ERRORS, type KubernetesErrorCode } from "../errors.ts";
import type { NodeProblem } from "../node-problem.ts";
import type { StatusProblem } from "./plugin-status.ts";

/** What is wrong at this moment, each with the time since when. */
export class ProblemList {
  readonly #clock: Clock;
  readonly #problems = new Map<string, StatusProblem>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `subject` tells apart several of one code. Answers whether this is new: another text of a known problem is not. */
  set(code: KubernetesErrorCode, message: string, options: { subject?: string; nextStep?: string } = {}): boolean {
    const key = `${code} ${options.subject ?? ""}`;
    const before = this.#problems.get(key);
    const since = before?.since ?? new Date(this.#clock.now()).toISOString();
    this.#problems.set(key, { code, message, nextStep: options.nextStep ?? KUBERNETES_ERRORS[code], since });
    return before === undefined;
  }

  /** Answers whether it was there. */
  clear(code: KubernetesErrorCode, subject = ""): boolean {
    return this.#problems.delete(`${code} ${subject}`);
  }

  /** Makes `problems` all that there are of a group. Answers those that were not there before. */
  replace(group: string, problems: readonly NodeProblem[]): readonly NodeProblem[] {
    const keys = new Map(problems.map((problem) => [`${group}: ${problem.message}`, problem]));
    for (const [key] of this.#problems) {
      const subject = key.slice(key.indexOf(" ") + 1);
      if (subject.startsWith(`${group}: `) && !keys.has(subject)) this.#problems.delete(key);
    }
    return [...keys]
      .filter(([subject, { code, message, nextStep }]) => this.set(code, message, { subject, nextStep }))
      .map(([, problem]) => problem);
  }

  list(): readonly StatusProblem[] {
    return [...this.#problems.values()];
  }
}
