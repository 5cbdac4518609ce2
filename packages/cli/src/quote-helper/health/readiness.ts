import { existsSync } from "node:fs";

/** Whether the helper serves, and in one sentence why (not). */
export interface Readiness {
  readonly ok: boolean;
  readonly why: string;
}

export interface ReadinessOptions {
  readonly socketPath: string;
  /** Whether the path leads to the socket that this process bound: device and inode. */
  readonly isOurs: () => boolean;
  /** A real init_quote_ex over the path, as any client makes it; rejects when it fails or takes too long. */
  readonly probe: () => Promise<void>;
  /** Milliseconds of any monotonic clock. */
  readonly now: () => number;
  /** How long an answer of the probe holds, ms: probes that come often cost nothing. Default 1000. */
  readonly holdsMs?: number;
}

/**
 * Says whether a client that looks at the socket path now gets quotes from this process. The path is looked at for
 * every question, the probe is asked once a second at most, by one question at a time.
 */
export class ReadinessCheck {
  readonly #options: ReadinessOptions;
  #phase: "starting" | "serving" | "stopping" = "starting";
  #stopReason = "";
  #probed: { readonly at: number; readonly failure: string | undefined } | undefined;
  #probing: Promise<void> | undefined;

  constructor(options: ReadinessOptions) {
    this.#options = options;
  }

  get phase(): "starting" | "serving" | "stopping" {
    return this.#phase;
  }

  /** The socket has its path. */
  serving(): void {
    if (this.#phase === "starting") this.#phase = "serving";
  }

  /** From now on not ready, for good: who has connected is still answered. */
  stopping(why: string): void {
    this.#phase = "stopping";
    this.#stopReason = why;
  }

  async verdict(): Promise<Readiness> {
    if (this.#obstacle() === undefined) await this.#probe();
    // The path may have gone to somebody else while the probe ran: its answer then says nothing about this process.
    const why = this.#obstacle() ?? this.#probed?.failure;
    if (why !== undefined) return { ok: false, why };
    return { ok: true, why: `init_quote_ex passes on ${this.#options.socketPath}, which is this process's own socket` };
  }

  #obstacle(): string | undefined {
    if (this.#phase === "starting") return "starting: the socket is not in its place yet";
    if (this.#phase === "stopping") return `stopping: ${this.#stopReason}`;
    if (this.#options.isOurs()) return undefined;
    const { socketPath } = this.#options;
    return existsSync(socketPath)
      ? `${socketPath} is not the socket that this process bound: another process took it over`
      : `${socketPath} is gone: somebody removed it`;
  }

  #probe(): Promise<void> {
    const { now, holdsMs = 1000 } = this.#options;
    if (this.#probed !== undefined && now() - this.#probed.at < holdsMs) return Promise.resolve();
    this.#probing ??= this.#options
      .probe()
      .then(
        () => undefined,
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      )
      .then((failure) => {
        this.#probed = { at: now(), failure };
        this.#probing = undefined;
      });
    return this.#probing;
  }
}
