import type { Clock } from "../clock.ts";

/** A kubelet that has registered a plugin and calls back at all does so in milliseconds. */
export const NEVER_CALLED_MS = 10_000;
/** After this long without a call the registration is made again: the end of an older plugin's stream may have taken the new connection with it. */
const CALL_MS = 1_000;

/** The kubelet's call that must follow an accepted registration. */
export class AwaitedCall {
  readonly #clock: Clock;
  readonly #late: () => void;
  readonly #never: () => void;
  #lateTimer: unknown;
  #neverTimer: unknown;

  /** `late` is called a second after each registration, `never` ten seconds after the first of them, if no call came. */
  constructor(clock: Clock, { late, never }: { late: () => void; never: () => void }) {
    this.#clock = clock;
    this.#late = late;
    this.#never = never;
  }

  expect(): void {
    if (this.#lateTimer !== undefined) this.#clock.clearTimeout(this.#lateTimer);
    this.#lateTimer = this.#clock.setTimeout(this.#late, CALL_MS);
    if (this.#neverTimer !== undefined) return;
    this.#neverTimer = this.#clock.setTimeout(() => {
      this.#neverTimer = undefined;
      this.#never();
    }, NEVER_CALLED_MS);
  }

  /** The call came, or is no longer expected. */
  settle(): void {
    for (const timer of [this.#neverTimer, this.#lateTimer]) {
      if (timer !== undefined) this.#clock.clearTimeout(timer);
    }
    this.#neverTimer = undefined;
    this.#lateTimer = undefined;
  }
}
