import { Alarm } from "../../alarm.ts";
import type { ApiClient } from "../../api/api-client.ts";
import { ApiError } from "../../api/api-error.ts";
import { API_PROBLEMS } from "../../api/api-problems.ts";
import { pause } from "../../api/pause.ts";
import type { Clock } from "../../clock.ts";
import type { DaemonLog } from "../../daemon-log.ts";
import { KubernetesError, type KubernetesErrorCode } from "../../errors.ts";
import { ReportedProblems } from "../../status/reported-problems.ts";
import type { Verdict } from "../../status/status-server.ts";
import type { RandomBytes } from "../../tls-authority/index.ts";
import { authorityReport } from "./authority-report.ts";
import { AuthorityRotation, type SeenSecret } from "./authority-rotation.ts";
import { type AuthorityState, trustedBy } from "./authority-state.ts";
import { AuthorityStore } from "./authority-store.ts";
import type { RotationTimes } from "./rotation.ts";
import { authorityToServeUnder, issueServing, type ServingCertificate, serviceNames } from "./serving-certificate.ts";
import { TrustedBundles } from "./trusted-bundles.ts";

/** Times in ms. */
export interface AuthorityTimes extends RotationTimes {
  /** Life of this replica's serving certificate; with a third of it left it gets another. */
  readonly certificateLife: number;
  /** How often the cluster is looked at; varied by a quarter either way. */
  readonly poll: number;
}

export interface WebhookAuthorityOptions {
  readonly api: ApiClient;
  readonly namespace: string;
  readonly service: string;
  /** Name of the MutatingWebhookConfiguration. */
  readonly configuration: string;
  readonly times: AuthorityTimes;
  readonly clock: Clock;
  /** 0 to 1, for the variation of times. */
  readonly random: () => number;
  readonly randomBytes?: RandomBytes;
  readonly log: DaemonLog;
  /** A certificate to use from now on, for every new connection. */
  readonly serve: (certificate: ServingCertificate) => void;
}

export const DEFAULT_AUTHORITY_TIMES: AuthorityTimes = {
  authorityLife: 365 * 86_400_000,
  certificateLife: 30 * 86_400_000,
  propagation: 30_000,
  retention: 600_000,
  poll: 10_000,
};

/** Rounds of one look at the cluster: each write, and each write that somebody else forestalled, is followed by a new look. */
const ROUNDS = 6;

const FIRST_RETRY = 1000;

/** What a look at the cluster may find wrong; those not found again are solved. */
const PROBLEMS: readonly KubernetesErrorCode[] = [
  ...API_PROBLEMS,
  "WEBHOOK_AUTHORITY_MALFORMED",
  "WEBHOOK_AUTHORITY_MISSING",
  "WEBHOOK_NOT_CONFIGURED",
];

/**
 * The webhook's TLS: one authority that all replicas share in a Secret, and a serving certificate of this replica's own
 * under it. Every replica looks at the cluster again and again and does whatever one step is due; a replica that dies
 * anywhere leaves a state from which the others go on. Nothing is served under an authority that a caBundle lacks.
 */
export class WebhookAuthority {
  readonly #options: WebhookAuthorityOptions;
  readonly #store: AuthorityStore;
  readonly #bundles: TrustedBundles;
  readonly #rotation: AuthorityRotation;
  readonly #problems: ReportedProblems;
  readonly #alarm: Alarm;
  #serving: ServingCertificate | undefined;
  #syncedAt: number | undefined;
  #lookedAt: number;
  #failures = 0;
  #steps = 0;
  #conflicts = 0;

  constructor(options: WebhookAuthorityOptions) {
    this.#options = options;
    this.#store = new AuthorityStore(options.api, options.namespace);
    this.#bundles = new TrustedBundles(options.api, options.configuration);
    this.#rotation = new AuthorityRotation(this.#store, this.#bundles, options);
    this.#problems = new ReportedProblems(options.clock, options.log);
    this.#alarm = new Alarm(options.clock);
    this.#lookedAt = options.clock.now();
  }

  /** Until the signal aborts; never rejects for what the cluster does. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const retryAfterMs = await this.look(signal);
      const { poll } = this.#options.times;
      const times = { regular: poll, firstRetry: FIRST_RETRY, longestRetry: poll };
      await this.#alarm.wait(Math.max(pause(this.#failures, times, this.#options.random), retryAfterMs), signal);
    }
  }

  /** One look at the cluster, with all that is due. Answers how long the API server wants to be left alone, ms. */
  async look(signal: AbortSignal): Promise<number> {
    this.#lookedAt = this.#options.clock.now();
    try {
      for (let round = 0; round < ROUNDS && (await this.#round(signal)); round++);
    } catch (error) {
      if (signal.aborted) return 0;
      if (!(error instanceof KubernetesError)) throw error;
      this.#failures++;
      this.#problems.settle(PROBLEMS, [error]);
      return error instanceof ApiError ? (error.retryAfterMs ?? 0) : 0;
    }
    this.#failures = 0;
    return 0;
  }

  /** Whether the API server can call this replica: it has a certificate that every caBundle trusts. */
  ready(): Verdict {
    const { clock, times } = this.#options;
    const now = clock.now();
    const no = (why: string): Verdict => ({ ok: false, why: this.#problems.list()[0]?.message ?? why });
    const serving = this.#serving;
    if (serving === undefined) return no("there is no certificate yet");
    if (serving.notAfter <= now) return no("the certificate has expired");
    if (this.#bundles.trustedFor(serving.authority.fingerprint, now) === undefined) {
      return no("the caBundle does not hold the authority of the certificate");
    }
    // Beyond this the authority may be one that the others have dropped.
    const silent = now - (this.#syncedAt ?? 0);
    if (silent > times.retention / 2 + 3 * times.poll) return no(`the cluster was not seen for ${silent} ms`);
    return { ok: true, why: "the API server trusts the certificate" };
  }

  /** Whether the loop is alive. */
  healthy(): Verdict {
    const silent = this.#options.clock.now() - this.#lookedAt;
    // One look may wait for the API server many times over, and be told to wait for five minutes.
    return silent > 600_000 ? { ok: false, why: `nothing done for ${silent} ms` } : { ok: true, why: "ok" };
  }

  report() {
    const now = this.#options.clock.now();
    const { bundles } = this.#bundles;
    const { state } = this.#rotation;
    const inSync =
      state !== undefined &&
      trustedBy(state).every((one) => this.#bundles.trustedFor(one.fingerprint, now) !== undefined);
    return {
      ...authorityReport(state, this.#serving),
      caBundle: {
        configuration: this.#bundles.configuration,
        entries: [...bundles.entries.keys()],
        inSync,
        writes: this.#bundles.writes,
      },
      syncedAt: this.#syncedAt === undefined ? null : new Date(this.#syncedAt).toISOString(),
      steps: this.#steps,
      conflicts: this.#conflicts,
      problems: this.#problems.list(),
    };
  }

  /** Answers whether to look again at once. What goes wrong with the Secret keeps nobody from putting the caBundle right. */
  async #round(signal: AbortSignal): Promise<boolean> {
    const { clock, times, configuration, log } = this.#options;
    const secret = await this.#store.read(signal);
    await this.#bundles.read(clock.now(), signal);
    const step = await this.#rotation.step(secret, signal);
    if (step === "done") this.#steps++;
    if (step === "forestalled") this.#conflicts++;
    if (step === "done" || step === "forestalled") return true;
    const { state } = this.#rotation;
    if (state !== undefined) {
      const now = clock.now();
      if (await this.#bundles.write(state, { now, retention: times.retention }, signal)) {
        log.info({ configuration }, "caBundle written");
      }
      await this.#renew(state);
      this.#syncedAt = clock.now();
    }
    this.#problems.settle(PROBLEMS, [...(step === "none" ? [] : [step]), ...this.#wrongs(secret)]);
    return false;
  }

  async #renew(state: AuthorityState): Promise<void> {
    const { clock, times, service, namespace, log, randomBytes } = this.#options;
    const now = clock.now();
    const trustedFor = (fingerprint: string) => this.#bundles.trustedFor(fingerprint, now);
    const { propagation, certificateLife: life } = times;
    const authority = authorityToServeUnder(state, this.#serving, trustedFor, { now, propagation });
    if (authority === undefined) return;
    const random = randomBytes === undefined ? {} : { random: randomBytes };
    const issued = await issueServing(authority, serviceNames(service, namespace), { now, life, ...random });
    this.#options.serve(issued);
    this.#serving = issued;
    const { serialNumber, notAfter } = issued;
    const facts = { serialNumber, authority: authority.serialNumber, notAfter: new Date(notAfter).toISOString() };
    log.info(facts, "serving certificate");
  }

  #wrongs(secret: SeenSecret): readonly KubernetesError[] {
    const wrongs: KubernetesError[] = [];
    if (secret.kind === "malformed") {
      wrongs.push(new KubernetesError("WEBHOOK_AUTHORITY_MALFORMED", `${this.#store.name}: ${secret.reason}`));
    }
    if (this.#bundles.bundles.entries.size === 0) {
      const what = `MutatingWebhookConfiguration ${this.#options.configuration}`;
      wrongs.push(new KubernetesError("WEBHOOK_NOT_CONFIGURED", `${what} is not there or has no entries`));
    }
    return wrongs;
  }
}
