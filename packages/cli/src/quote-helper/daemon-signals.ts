type Signal = "SIGTERM" | "SIGINT" | "SIGHUP" | "SIGUSR1" | "SIGUSR2";

/**
 * What a daemon does on signals, from its first moment on: SIGTERM and SIGINT ask it to stop, SIGHUP to read its
 * configuration again (remembered until it can), and the user signals do nothing: SIGUSR1 would otherwise open the
 * runtime's debugger and SIGUSR2 would end the process.
 */
export class DaemonSignals {
  /** Resolves with the reason when the daemon is to stop. */
  readonly stopped: Promise<string>;
  readonly #handlers: readonly (readonly [Signal, () => void])[];
  #resolve: (why: string) => void = () => {};
  #stopRequested = false;
  #reload: (() => Promise<void>) | undefined;
  #reloadRequested = false;

  constructor() {
    this.stopped = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.#handlers = [
      ["SIGTERM", () => this.stop("SIGTERM")],
      ["SIGINT", () => this.stop("SIGINT")],
      ["SIGHUP", () => this.#hangUp()],
      ["SIGUSR1", () => {}],
      ["SIGUSR2", () => {}],
    ];
    for (const [signal, handler] of this.#handlers) process.on(signal, handler);
  }

  get stopRequested(): boolean {
    return this.#stopRequested;
  }

  stop(why: string): void {
    this.#stopRequested = true;
    this.#resolve(why);
  }

  /** From now on SIGHUP calls this; at once if one came before. Calls never overlap. */
  onReload(reload: () => Promise<void>): void {
    let running: Promise<void> = Promise.resolve();
    this.#reload = () => {
      running = running.then(reload);
      return running;
    };
    if (this.#reloadRequested) void this.#reload();
  }

  release(): void {
    for (const [signal, handler] of this.#handlers) process.off(signal, handler);
  }

  #hangUp(): void {
    this.#reloadRequested = true;
    void this.#reload?.();
  }
}
