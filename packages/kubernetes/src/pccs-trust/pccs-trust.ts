import { Alarm } from "../alarm.ts";
import { ApiError } from "../api/api-error.ts";
import { API_PROBLEMS } from "../api/api-problems.ts";
import { pause } from "../api/pause.ts";
import type { Clock } from "../clock.ts";
import type { DaemonLog } from "../daemon-log.ts";
import { KubernetesError, type KubernetesErrorCode } from "../errors.ts";
import { labelsOf, PCCS_CA_KEY, PCCS_NAME, PCCS_USER_TOKEN_KEY, QUOTE_ROOT_KEY } from "../manifests/object-names.ts";
import { ReportedProblems } from "../status/reported-problems.ts";
import { type Publication, PublishedObject, type PublishingApi } from "./published-object.ts";
import { checkMaterial, fingerprintOf, type TrustMaterial } from "./trust-material.ts";

export interface PccsTrustOptions {
  readonly api: PublishingApi;
  readonly namespace: string;
  /** Gets root certificate and TLS authority. */
  readonly configMap: string;
  /** Gets the user token. */
  readonly secret: string;
  /**
   * What the state directory holds now; renews the server certificate where that is due. Rejects with KubernetesError
   * `PCCS_ROOT_AWAITED` or `PCCS_STATE_UNUSABLE`.
   */
  readonly readMaterial: () => Promise<TrustMaterial>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: DaemonLog;
}

/** Times in ms. `regular`: how long an edited object stays wrong at most, give or take a quarter. */
const TIMES = { regular: 10_000, awaitRoot: 1000, firstRetry: 1000, longestRetry: 20_000, silent: 120_000 };

const PROBLEMS: readonly KubernetesErrorCode[] = ["PCCS_ROOT_AWAITED", "PCCS_STATE_UNUSABLE", ...API_PROBLEMS];

/**
 * Keeps what a cluster must know of its PCCS published: a ConfigMap with the root certificate and the TLS authority, and a
 * Secret with the user token. What somebody edits or deletes is put right; what the state directory holds is what counts.
 */
export class PccsTrust {
  readonly #options: PccsTrustOptions;
  readonly #problems: ReportedProblems;
  readonly #configMap: PublishedObject;
  readonly #secret: PublishedObject;
  readonly #alarm: Alarm;
  #material: TrustMaterial | undefined;
  #publishedAt: number | undefined;
  #roundAt: number;
  #writes = 0;
  #failures = 0;
  #replacedRoot: { readonly fingerprint: string | null; readonly at: number } | undefined;

  constructor(options: PccsTrustOptions) {
    const { api, namespace, clock, log } = options;
    const labels = labelsOf(PCCS_NAME);
    this.#options = options;
    this.#problems = new ReportedProblems(clock, log);
    this.#configMap = new PublishedObject(api, { kind: "ConfigMap", namespace, name: options.configMap, labels });
    this.#secret = new PublishedObject(api, { kind: "Secret", namespace, name: options.secret, labels });
    this.#alarm = new Alarm(clock);
    this.#roundAt = clock.now();
  }

  /** Until the signal aborts; never rejects with what the API server or the state directory is to blame for. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#alarm.wait(await this.#round(signal), signal);
    }
  }

  /** Never a secret. */
  report() {
    const time = (at: number | undefined) => (at === undefined ? null : new Date(at).toISOString());
    const { namespace, configMap, secret } = this.#options;
    const material = this.#material;
    return {
      namespace,
      configMap,
      secret,
      root: fingerprintOf(material?.rootCertificate ?? "") ?? null,
      pccsCa: fingerprintOf(material?.pccsCa ?? "") ?? null,
      server:
        material === undefined ? null : { names: material.server.names, notAfter: time(+material.server.notAfter) },
      publishedAt: time(this.#publishedAt),
      writes: this.#writes,
      /** Another root that the ConfigMap held when it was last put right. */
      replacedRoot:
        this.#replacedRoot === undefined
          ? null
          : { fingerprint: this.#replacedRoot.fingerprint, at: time(this.#replacedRoot.at) },
      problems: this.#problems.list(),
    };
  }

  /** Whether the loop is alive. */
  healthy(): { ok: boolean; why: string } {
    const silent = this.#options.clock.now() - this.#roundAt;
    return silent > TIMES.silent ? { ok: false, why: `nothing done for ${silent} ms` } : { ok: true, why: "ok" };
  }

  /** Whether ConfigMap and Secret have been right once; what is wrong later is a problem of `/status`. */
  ready(): { ok: boolean; why: string } {
    if (this.#publishedAt !== undefined) return { ok: true, why: "root, CA and user token are published" };
    return { ok: false, why: this.#problems.list()[0]?.message ?? "nothing has been published yet" };
  }

  /** Answers how long to wait for the next, ms. */
  async #round(signal: AbortSignal): Promise<number> {
    const { clock, random } = this.#options;
    this.#roundAt = clock.now();
    let failure: KubernetesError | undefined;
    try {
      await this.#publish(signal);
    } catch (error) {
      if (!(error instanceof KubernetesError)) throw error;
      failure = error;
    }
    if (signal.aborted) return 0;
    this.#failures = failure === undefined ? 0 : this.#failures + 1;
    this.#problems.settle(PROBLEMS, failure === undefined ? [] : [failure]);
    if (failure?.code === "PCCS_ROOT_AWAITED") return TIMES.awaitRoot;
    const asked = failure instanceof ApiError ? (failure.retryAfterMs ?? 0) : 0;
    return Math.max(pause(this.#failures, TIMES, random), asked);
  }

  async #publish(signal: AbortSignal): Promise<void> {
    const material = await this.#options.readMaterial();
    checkMaterial(material);
    this.#material = material;
    const trust = { [QUOTE_ROOT_KEY]: material.rootCertificate, [PCCS_CA_KEY]: material.pccsCa };
    const token = { [PCCS_USER_TOKEN_KEY]: Buffer.from(material.userToken, "utf8").toString("base64") };
    // Each for itself: a ConfigMap that may not be written is no reason to leave the Secret wrong.
    const outcomes = await Promise.allSettled([
      this.#configMap.publish(trust, signal, (held) => this.#found(held, material)),
      this.#secret.publish(token, signal),
    ]);
    for (const [index, object] of [this.#configMap, this.#secret].entries()) {
      const outcome = outcomes[index];
      if (outcome?.status === "fulfilled") this.#tell(object, outcome.value);
    }
    for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
    if (outcomes.every((outcome) => outcome.status === "fulfilled" && outcome.value !== "removed")) {
      this.#publishedAt ??= this.#options.clock.now();
    }
  }

  /** What the ConfigMap holds instead; that it is another root must not pass unseen. */
  #found(held: Readonly<Record<string, unknown>>, { rootCertificate }: TrustMaterial): void {
    const root = held[QUOTE_ROOT_KEY];
    if (root === undefined || root === "" || root === rootCertificate) return;
    const fingerprint = (typeof root === "string" ? fingerprintOf(root) : undefined) ?? null;
    this.#replacedRoot = { fingerprint, at: this.#options.clock.now() };
    this.#options.log.warn(
      { configMap: this.#options.configMap, held: fingerprint, published: fingerprintOf(rootCertificate) },
      "the ConfigMap held another root than this PCCS's: replaced. Whoever trusts the other one refuses this cluster's quotes",
    );
  }

  #tell({ identity: { kind, name } }: PublishedObject, publication: Publication): void {
    if (publication === "kept") return;
    if (publication === "written") this.#writes++;
    this.#options.log.info({ kind, name }, publication === "written" ? "published" : "removed by somebody");
  }
}
