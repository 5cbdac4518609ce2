import type { SoftwarePlatform } from "@confcom/quoting/software";
import { ECDSA_P256_KEY_ID } from "@confcom/sgx";
import type { Logger } from "pino";
import type { CertifyingService } from "./certifying-service.ts";

/** How often a platform that is certified looks whether its certificate is due for renewal. */
const RENEWAL_CHECK_MS = 6 * 60 * 60 * 1000;
/** How often it is looked whether root and CA are still those in use. */
const LOOK_MS = 5000;
const SHORTEST_PAUSE_MS = 250;

/**
 * Has the platform certified without anybody asking: at the start, again whenever the service may be asked again, when
 * root or CA changed, and from then on looks for a renewal now and then. Each new cause of failure is logged once.
 */
export class ProvisioningWatch {
  readonly #platform: SoftwarePlatform;
  readonly #service: CertifyingService;
  readonly #log: Pick<Logger, "info" | "warn">;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  #certified = false;
  #renewalAt = 0;
  #lastFailure = "";

  constructor(platform: SoftwarePlatform, service: CertifyingService, log: Pick<Logger, "info" | "warn">) {
    this.#platform = platform;
    this.#service = service;
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
    const replaced = this.#service.outdated(this.#platform.authority);
    if (replaced || !this.#certified || this.#lastFailure !== "" || Date.now() >= this.#renewalAt) {
      await this.#certify(replaced);
    }
    if (this.#closed) return;
    this.#timer = setTimeout(() => void this.#round(), this.#pause());
    this.#timer.unref();
  }

  async #certify(replaced: boolean): Promise<void> {
    try {
      if (replaced || this.#certified) await this.#platform.reload();
      // After a reload without a key there is still none: the new authority has not been asked for certain.
      await this.#platform.initQuote(ECDSA_P256_KEY_ID);
      if (replaced || !this.#certified) this.#log.info(`certified by ${this.#service.authority.name}`);
      this.#certified = true;
      this.#lastFailure = "";
      this.#renewalAt = Date.now() + RENEWAL_CHECK_MS * (0.75 + Math.random() / 2);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      // Each answer has an ID of its own; the cause is the same.
      const cause = message.replace(/Request-ID [\w.-]+/g, "");
      if (cause !== this.#lastFailure) this.#log.warn(message);
      this.#lastFailure = cause;
    }
  }

  #pause(): number {
    if (this.#certified && this.#lastFailure === "") return LOOK_MS;
    return Math.min(LOOK_MS, Math.max(SHORTEST_PAUSE_MS, this.#service.authority.status.notBefore - Date.now()));
  }
}
