import { ApiError } from "../../api/api-error.ts";
import type { Clock } from "../../clock.ts";
import type { DaemonLog } from "../../daemon-log.ts";
import { KubernetesError } from "../../errors.ts";
import { WEBHOOK_NAME } from "../../manifests/object-names.ts";
import { createAuthority, type RandomBytes } from "../../tls-authority/index.ts";
import { type Authority, readAuthority } from "./authority-certificate.ts";
import type { AuthoritySecret } from "./authority-secret.ts";
import { type AuthorityState, PREVIOUS_LIMIT, trustedBy, withoutKey } from "./authority-state.ts";
import type { AuthorityStore } from "./authority-store.ts";
import { type Observed, type RotationTimes, rotationStep, takeStep } from "./rotation.ts";
import { BACKDATED } from "./serving-certificate.ts";
import { Sightings } from "./sightings.ts";
import type { TrustedBundles } from "./trusted-bundles.ts";

/** The Secret as it was read. */
export type SeenSecret = AuthoritySecret | { readonly kind: "absent" };

export interface AuthorityRotationOptions {
  readonly clock: Clock;
  readonly times: RotationTimes;
  readonly log: DaemonLog;
  readonly randomBytes?: RandomBytes;
}

/** This replica's part in what all of them agree on: makes in the Secret the one change that is due. */
export class AuthorityRotation {
  readonly #store: AuthorityStore;
  readonly #bundles: TrustedBundles;
  readonly #options: AuthorityRotationOptions;
  readonly #previous = new Sightings();
  #state: AuthorityState | undefined;

  constructor(store: AuthorityStore, bundles: TrustedBundles, options: AuthorityRotationOptions) {
    this.#store = store;
    this.#bundles = bundles;
    this.#options = options;
  }

  /** As the Secret last held it; what became of the Secret since does not take it away. */
  get state(): AuthorityState | undefined {
    return this.#state;
  }

  /**
   * `forestalled`: somebody else was quicker, and the Secret is to be read again. An error is the API server's refusal;
   * throws ApiError where it could not be asked.
   */
  async step(secret: SeenSecret, signal: AbortSignal): Promise<"done" | "forestalled" | "none" | KubernetesError> {
    if (secret.kind === "held") this.#take(secret.state);
    try {
      const written = await this.#change(secret, signal);
      return written === undefined ? "none" : written ? "done" : "forestalled";
    } catch (error) {
      if (!(error instanceof ApiError) || error.status === 0 || signal.aborted) throw error;
      if (error.status !== 403 || secret.kind !== "absent") return error;
      const { message, cause } = error;
      return new KubernetesError("WEBHOOK_AUTHORITY_MISSING", `${this.#store.name} is not there: ${message}`, {
        cause,
      });
    }
  }

  #take(state: AuthorityState): void {
    this.#state = state;
    this.#previous.see(
      state.previous.map(({ fingerprint }) => fingerprint),
      this.#options.clock.now(),
    );
  }

  /** True when the Secret was changed, false when somebody else was quicker, undefined when nothing is due. */
  async #change(secret: SeenSecret, signal: AbortSignal): Promise<boolean | undefined> {
    const { log, times } = this.#options;
    if (secret.kind === "malformed") return undefined;
    if (secret.kind !== "held") {
      // Whose Secret was deleted or emptied goes on serving; its authority stays trusted until the new one is known.
      const previous = this.#state === undefined ? [] : trustedBy(this.#state).map(withoutKey).slice(0, PREVIOUS_LIMIT);
      const first: AuthorityState = { current: await this.#fresh(), previous };
      log.info({ secret: this.#store.name, authority: first.current.serialNumber }, "first authority");
      if (secret.kind === "absent") return this.#store.create(first, signal);
      return this.#store.replace(secret.object, first, false, signal);
    }
    const observed = this.#observed(secret.state, secret.asked);
    const step = rotationStep(observed, times);
    if (step === "none") return undefined;
    const changed = await takeStep(step, observed, times, () => this.#fresh());
    log.info({ step, authority: changed.current.serialNumber, next: changed.next?.serialNumber }, "rotation");
    return this.#store.replace(secret.object, changed, step === "add-next", signal);
  }

  #observed(state: AuthorityState, asked: boolean): Observed {
    const now = this.#options.clock.now();
    return {
      now,
      state,
      asked,
      trustedFor: (fingerprint) => this.#bundles.trustedFor(fingerprint, now),
      previousFor: (fingerprint) => this.#previous.howLong(fingerprint, now),
    };
  }

  async #fresh(): Promise<Authority> {
    const { clock, times, randomBytes } = this.#options;
    const now = clock.now();
    const validity = { notBefore: new Date(now - BACKDATED), notAfter: new Date(now + times.authorityLife) };
    const made = await createAuthority({ commonName: WEBHOOK_NAME, ...validity }, randomBytes);
    return readAuthority(made.certificate, made.privateKey);
  }
}
