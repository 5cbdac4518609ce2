import type { Clock, Random } from "../clock.ts";
import { CollateralError } from "../errors.ts";
import type { CollateralRequest, TcbUpdate } from "../request.ts";
import type { CollateralUpstream } from "../source.ts";
import { type PackedChanges, unpackChanges } from "../store/packed-changes.ts";
import type {
  ChangeListener,
  CollateralStore,
  MaybePromise,
  StoredPlatform,
  StoredRegistration,
} from "../store/store.ts";
import { readAppraisalPolicy } from "./appraisal-policy.ts";
import type { CollateralChecks } from "./checks.ts";
import type { ServiceContext } from "./context.ts";
import { Documents } from "./documents.ts";
import { DEFAULT_SERVICE_LIMITS, type ServiceLimits } from "./limits.ts";
import { PckCertificateRequests } from "./pck-certificates.ts";
import { PlatformCertificates } from "./platform-certificates.ts";
import { Refresh } from "./refresh.ts";
import { RefreshSchedule } from "./refresh-schedule.ts";
import { refusalFor } from "./refusals.ts";
import { Registration } from "./registration.ts";
import type { ServiceReport } from "./report.ts";
import { RequestedRefresh } from "./requested-refresh.ts";
import type { CachingMode, CollateralService, PlatformRegistration, Served } from "./service.ts";
import { SingleFlight } from "./single-flight.ts";
import { ServiceRefusal } from "./status.ts";
import type { DocumentRequest } from "./stored-document.ts";
import { UpstreamBudget } from "./upstream-budget.ts";
import { UpstreamCalls } from "./upstream-calls.ts";

/** Seven days. */
export const DEFAULT_STALE_LIMIT_MS = 7 * 24 * 3_600_000;
/** Once a day, as Intel's PCCS. */
export const DEFAULT_REFRESH_INTERVAL_MS = 24 * 3_600_000;
/** What GET /platforms hands over at a time: built as one text while everybody else waits. */
const HANDED_OVER_BYTES = 64 * 1024 * 1024;
/** GET /platforms?source=[…]: beyond it fewer FMSPCs must be named; one text can hold no more. */
const LISTED_BYTES = 256 * 1024 * 1024;
const PAGE = 1_000;

export interface CollateralServiceOptions {
  readonly store: CollateralStore;
  /** Where collateral comes from, retries and breaker around it; left out in OFFLINE. */
  readonly upstream?: CollateralUpstream;
  readonly mode: CachingMode;
  readonly checks: CollateralChecks;
  readonly clock: Clock;
  /** For jitter. */
  readonly random: Random;
  /** SHA-384, lower-case hexadecimal: ids of policies, and keys that a client chose the length of. */
  readonly sha384: (text: string) => string;
  readonly report?: ServiceReport;
  readonly limits?: Partial<ServiceLimits>;
  /** How long past its nextUpdate something is served while nothing newer can be had. Default: 7 days, in OFFLINE without end. */
  readonly staleLimitMs?: number;
  /** Default: a day. 0: no refresh but on request. */
  readonly refreshIntervalMs?: number;
  /** Where `/crl?uri=` may lead: `host` or `host:port` for HTTPS, `http://host:port` otherwise. Default: nowhere. */
  readonly allowedCrlHosts?: readonly string[];
  /** The root CA's distribution point, where the upstream does not know it itself. */
  readonly rootCaCrlUrl?: string;
  /** PUT /platformcollateral, JSON in UTF-8: checks it whole and says what to write. Fails with ServiceRefusal 400 or 460. */
  readonly readPlatformCollateral: (json: Uint8Array) => MaybePromise<readonly PackedChanges[]>;
}

/**
 * The PCCS without its transport (spec: DCAP §12). The background refresh starts at once and ends with `close`. Throws
 * CollateralError SERVICE_CONFIGURATION where LAZY or REQ has no upstream.
 */
export function createCollateralService(options: CollateralServiceOptions): CollateralService {
  return new Service(options);
}

class Service implements CollateralService {
  readonly mode: CachingMode;
  readonly #options: CollateralServiceOptions;
  readonly #context: ServiceContext;
  readonly #documents: Documents;
  readonly #certificates: PckCertificateRequests;
  readonly #registration: Registration;
  readonly #requestedRefresh: RequestedRefresh;
  readonly #schedule: RefreshSchedule | undefined;
  readonly #ended = new AbortController();
  readonly #unsubscribe: () => void;

  constructor(options: CollateralServiceOptions) {
    const { mode, store, refreshIntervalMs = DEFAULT_REFRESH_INTERVAL_MS } = options;
    this.mode = mode;
    this.#options = options;
    this.#context = contextOf(options, this.#ended.signal);
    this.#documents = new Documents(this.#context);
    const platforms = new PlatformCertificates(this.#context, this.#documents);
    this.#certificates = new PckCertificateRequests(this.#context, platforms, options.sha384);
    this.#registration = new Registration(this.#context, this.#documents, this.#certificates);
    const refresh = new Refresh(this.#context, this.#documents, this.#certificates);
    this.#requestedRefresh = new RequestedRefresh(this.#context, refresh);
    this.#unsubscribe = store.onChange((changes) => this.#certificates.changed(changes));
    if (mode !== "OFFLINE" && refreshIntervalMs > 0) {
      this.#schedule = new RefreshSchedule(this.#context, refresh, refreshIntervalMs);
      this.#schedule.start();
    }
  }

  get<R extends CollateralRequest>(request: R, asking?: () => void): MaybePromise<Served<R>> {
    // Each kind of request is answered by its own kind: the compiler cannot follow that through the generic.
    const served: unknown =
      request.kind === "pck-certificate"
        ? this.#certificates.get(request, asking)
        : this.#documents.get(request as DocumentRequest, asking);
    return served as MaybePromise<Served<R>>;
  }

  register(platform: PlatformRegistration, update: TcbUpdate | "all"): Promise<void> {
    return refusing(() => this.#registration.register(platform, update));
  }

  platforms(source: "reg" | "reg_na" | readonly string[]): Promise<readonly (StoredRegistration | StoredPlatform)[]> {
    const { store } = this.#options;
    return refusing(async () => {
      if (source === "reg") return store.takeRegistrations(["new"], HANDED_OVER_BYTES);
      if (source === "reg_na") return store.takeRegistrations(["not-available"], HANDED_OVER_BYTES);
      return this.#cachedPlatforms(source);
    });
  }

  putPlatformCollateral(json: Uint8Array): Promise<void> {
    const { readPlatformCollateral, store } = this.#options;
    return refusing(async () => {
      // All is checked before anything is written.
      const batches = await readPlatformCollateral(json);
      for (const batch of batches) {
        if (store.writePacked === undefined) await store.write(unpackChanges(batch.packed));
        else await store.writePacked(batch);
      }
    });
  }

  refresh(certificatesOf?: readonly string[]): Promise<void> {
    return refusing(async () => {
      if (this.mode === "OFFLINE") throw new ServiceRefusal(503, "OFFLINE refreshes nothing: nothing goes out");
      const outcome = await this.#requestedRefresh.run(certificatesOf);
      if (outcome.refusal === undefined) return;
      const { failed, refusal } = outcome;
      // Intel's: what the provisioning service has not is 404 for certificates, and 503 for documents.
      const status = certificatesOf === undefined && refusal.status === 404 ? 503 : refusal.status;
      throw new ServiceRefusal(status, `${failed} not refreshed; the first: ${refusal.message}`, { cause: refusal });
    });
  }

  putPolicy(policy: { readonly isDefault: boolean; readonly fmspc: string; readonly policy: string }): Promise<string> {
    const { store, sha384 } = this.#options;
    return refusing(async () => {
      const stored = readAppraisalPolicy(policy, sha384);
      await store.write([{ put: "policy", policy: stored }]);
      return stored.id;
    });
  }

  policies(fmspc: string): Promise<readonly string[]> {
    return refusing(async () => {
      const stored = await this.#options.store.policies(fmspc.toUpperCase());
      const defaults = stored.filter(({ isDefault }) => isDefault).map(({ policy }) => policy);
      if (defaults.length === 0) throw new ServiceRefusal(404, `no default policy for FMSPC ${fmspc}`);
      return defaults;
    });
  }

  async ping(): Promise<void> {
    if (this.#ended.signal.aborted) throw new ServiceRefusal(503, "the service stops");
    await this.#options.store.ping();
  }

  onChange(listener: ChangeListener): () => void {
    return this.#options.store.onChange(listener);
  }

  async close(): Promise<void> {
    this.#ended.abort();
    this.#unsubscribe();
    await this.#schedule?.stop();
    await Promise.all([this.#context.flights.misses.settled(), this.#context.flights.trusted.settled()]);
  }

  async #cachedPlatforms(fmspcs: readonly string[]): Promise<readonly StoredPlatform[]> {
    const names = fmspcs.length === 0 ? undefined : fmspcs;
    const all: StoredPlatform[] = [];
    for (let bytes = 0; ; ) {
      const page = await this.#options.store.platforms(names, all.at(-1), PAGE);
      all.push(...page);
      for (const { platformManifest, encryptedPpid } of page) bytes += platformManifest.length + encryptedPpid.length;
      if (bytes > LISTED_BYTES) throw new ServiceRefusal(400, "the list is longer than 256 MiB: name fewer FMSPCs");
      if (page.length < PAGE) break;
    }
    return all;
  }
}

function contextOf(options: CollateralServiceOptions, ended: AbortSignal): ServiceContext {
  const { store, upstream, mode, checks, clock, random, report = () => {} } = options;
  if (mode !== "OFFLINE" && upstream === undefined) {
    throw new CollateralError("SERVICE_CONFIGURATION", `mode ${mode} needs an upstream`);
  }
  const limits = { ...DEFAULT_SERVICE_LIMITS, ...options.limits };
  const calls =
    upstream === undefined || mode === "OFFLINE"
      ? undefined
      : new UpstreamCalls(upstream, new UpstreamBudget(limits, clock, report), clock, report);
  const tooMany = () => report({ event: "budget-refused", share: "misses", limit: "waiting", retryAfterMs: 1000 });
  return {
    store,
    upstream: calls,
    mode,
    checks,
    clock,
    random,
    report,
    limits,
    staleLimitMs: mode === "OFFLINE" ? Number.POSITIVE_INFINITY : (options.staleLimitMs ?? DEFAULT_STALE_LIMIT_MS),
    allowedCrlHosts: options.allowedCrlHosts ?? [],
    rootCaCrlUrl: options.rootCaCrlUrl,
    flights: { misses: new SingleFlight(limits, tooMany), trusted: new SingleFlight(limits) },
    ended,
  };
}

async function refusing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw refusalFor(error);
  }
}
