import { constants } from "node:os";

const SIGNALS = ["SIGTERM", "SIGINT"] as const;

/**
 * Stopping a daemon that may be process 1 of a container, where signals without a handler do nothing: the first SIGTERM
 * or SIGINT aborts `signal`, a second one ends the process at once. User signals do nothing: SIGUSR1 would open the
 * runtime's debugger, SIGUSR2 and SIGHUP would end the process.
 */
export class StopSignals {
  readonly #controller = new AbortController();
  readonly #handlers: readonly (readonly [NodeJS.Signals, () => void])[];

  constructor() {
    const stop = (signal: (typeof SIGNALS)[number]) => () => {
      if (this.#controller.signal.aborted) process.exit(128 + constants.signals[signal]);
      this.#controller.abort(signal);
    };
    const ignored = (["SIGHUP", "SIGUSR1", "SIGUSR2"] as const).map((signal) => [signal, () => {}] as const);
    this.#handlers = [...SIGNALS.map((signal) => [signal, stop(signal)] as const), ...ignored];
    for (const [signal, handler] of this.#handlers) process.on(signal, handler);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  release(): void {
    for (const [signal, handler] of this.#handlers) process.off(signal, handler);
  }
}
