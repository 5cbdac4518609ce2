import type { RemoteProvisioningAuthority } from "@confcom/collateral/software";
import type { SoftwarePlatform } from "@confcom/quoting/software";
import { ECDSA_P256_KEY_ID } from "@confcom/sgx";
import type { Logger } from "pino";

/** How often a platform that is certified looks whether its certificate is due for renewal. */
const RENEWAL_CHECK_MS = 6 * 60 * 60 * 1000;
const SHORTEST_PAUSE_MS = 250;

/**
 * Has the platform certified without anybody asking: at the start, again whenever the service may be asked again, and
 * from then on looks for a renewal now and then. Each new cause of failure is logged once.
 */
export class ProvisioningWatch {
  readonly #platform: SoftwarePlatform;
  readonly #authority: RemoteProvisioningAuthority;
  readonly #log: Pick<Logger, "info" | "warn">;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  #certified = false;
  #lastFailure = "";

  constructor(platform: SoftwarePlatform, authority: RemoteProvisioningAuthority, log: Pick<Logger, "info" | "warn">) {
    this.#platform = platform;
    this.#authority = authority;
    this.#log = log;
  }

  start(): void {
    void this.#round();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  async #round(): Promise<void> {
    try {
      await (this.#certified ? this.#platform.reload() : this.#platform.initQuote(ECDSA_P256_KEY_ID));
      if (!this.#certified) this.#log.info(`certified by ${this.#authority.name}`);
      this.#certified = true;
      this.#lastFailure = "";
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      // Each answer has an ID of its own; the cause is the same.
      const cause = message.replace(/Request-ID [\w.-]+/g, "");
      if (cause !== this.#lastFailure) this.#log.warn(message);
      this.#lastFailure = cause;
    }
    if (this.#closed) return;
    this.#timer = setTimeout(() => void this.#round(), this.#pause());
    this.#timer.unref();
  }

  #pause(): number {
    if (this.#certified && this.#lastFailure === "") return RENEWAL_CHECK_MS * (0.75 + Math.random() / 2);
    return Math.max(SHORTEST_PAUSE_MS, this.#authority.status.notBefore - Date.now());
  }
}
