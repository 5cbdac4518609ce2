import type { ApiClient } from "../../api/api-client.ts";
import { ApiError } from "../../api/api-error.ts";
import type { AuthorityCertificate } from "./authority-certificate.ts";
import { type AuthorityState, trustedBy } from "./authority-state.ts";
import { Sightings } from "./sightings.ts";
import {
  allTrust,
  bundlesToApply,
  CONFIGURATIONS_PATH,
  FIELD_MANAGER,
  readWebhookBundles,
  trustExactly,
  trustedByAny,
  type WebhookBundles,
} from "./webhook-configuration.ts";

/** Authorities beyond our own that are left in a caBundle for a while. */
const STRANGER_LIMIT = 8;

const NONE: WebhookBundles = { entries: new Map() };

/** The caBundles in the cluster: read, watched for how long they trust whom, and put right. Throws ApiError. */
export class TrustedBundles {
  readonly #api: ApiClient;
  readonly #configuration: string;
  readonly #path: string;
  readonly #trusted = new Sightings();
  readonly #strangers = new Sightings();
  #bundles = NONE;
  /** Authorities that were seen to be dropped by agreement: they need not be kept like a stranger's. */
  #dropped: ReadonlySet<string> = new Set();
  #formerly: readonly AuthorityCertificate[] = [];
  #writes = 0;

  constructor(api: ApiClient, configuration: string) {
    this.#api = api;
    this.#configuration = configuration;
    this.#path = `${CONFIGURATIONS_PATH}/${encodeURIComponent(configuration)}`;
  }

  get configuration(): string {
    return this.#configuration;
  }

  /** As they were last read or written; no entries where there is no such configuration. */
  get bundles(): WebhookBundles {
    return this.#bundles;
  }

  get writes(): number {
    return this.#writes;
  }

  /** For how long every entry has trusted the authority, ms. */
  trustedFor(fingerprint: string, now: number): number | undefined {
    return this.#trusted.howLong(fingerprint, now);
  }

  async read(now: number, signal: AbortSignal): Promise<void> {
    try {
      this.#take(readWebhookBundles(await this.#api.get(this.#path, signal)), now);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 404) throw error;
      this.#take(NONE, now);
    }
  }

  /**
   * Makes every entry trust what the state needs. Who else is trusted there may be an authority that another replica
   * still serves under, so it stays for `retention` ms. Answers whether something had to be written.
   */
  async write(
    state: AuthorityState,
    { now, retention }: { readonly now: number; readonly retention: number },
    signal: AbortSignal,
  ): Promise<boolean> {
    const wanted = [...trustedBy(state), ...this.#kept(state, now, retention)];
    if (this.#bundles.entries.size === 0 || trustExactly(this.#bundles, wanted)) return false;
    const body = bundlesToApply(this.#configuration, this.#bundles, wanted);
    this.#take(
      readWebhookBundles(await this.#api.apply(this.#path, body, FIELD_MANAGER, { force: true, signal })),
      now,
    );
    this.#writes++;
    return true;
  }

  #kept(state: AuthorityState, now: number, retention: number): readonly AuthorityCertificate[] {
    const own = new Set(trustedBy(state).map(({ fingerprint }) => fingerprint));
    const former = this.#formerly.filter(({ fingerprint }) => !own.has(fingerprint));
    this.#dropped = new Set(
      [...this.#dropped, ...former.map(({ fingerprint }) => fingerprint)].filter((one) => !own.has(one)).slice(-8),
    );
    this.#formerly = state.previous;
    const strangers = trustedByAny(this.#bundles).filter(
      ({ fingerprint, notAfter }) => !own.has(fingerprint) && !this.#dropped.has(fingerprint) && notAfter > now,
    );
    this.#strangers.see(
      strangers.map(({ fingerprint }) => fingerprint),
      now,
    );
    const young = ({ fingerprint }: AuthorityCertificate) =>
      (this.#strangers.howLong(fingerprint, now) ?? 0) < retention;
    return strangers.filter(young).slice(0, STRANGER_LIMIT);
  }

  #take(bundles: WebhookBundles, now: number): void {
    this.#bundles = bundles;
    const everywhere = trustedByAny(bundles).filter(({ fingerprint }) => allTrust(bundles, fingerprint));
    this.#trusted.see(
      everywhere.map(({ fingerprint }) => fingerprint),
      now,
    );
  }
}
