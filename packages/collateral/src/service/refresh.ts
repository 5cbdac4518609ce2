import { requestKey } from "../request.ts";
import type { CollateralStore, PlatformKey, StoredPlatform } from "../store/store.ts";
import type { ServiceContext } from "./context.ts";
import type { Documents } from "./documents.ts";
import { KeptLease } from "./kept-lease.ts";
import type { PckCertificateRequests } from "./pck-certificates.ts";
import { refusalFor } from "./refusals.ts";
import type { ServiceReport } from "./report.ts";
import { ServiceRefusal } from "./status.ts";
import { type DocumentRequest, readDocument } from "./stored-document.ts";

/** Documents, and platforms, asked for at the same time in one round. */
const AT_ONCE = 8;
const PAGE = 256;
/** So many platforms one after the other that could not be asked about: the round ends, to be taken up where it was. */
const MOST_FAILURES = 32;
const PROGRESS = 1_000;

export interface RefreshOutcome {
  readonly refreshed: number;
  readonly failed: number;
  /** Of the first that failed. */
  readonly refusal: ServiceRefusal | undefined;
  /** The earliest nextUpdate of what is stored after the round, milliseconds since 1970. */
  readonly earliestNextUpdate: number | undefined;
  /** Where a round over platforms was interrupted: `after` is the last one that it is done with. */
  readonly interrupted: { readonly after: PlatformKey | undefined } | undefined;
}

/** Fetches anew what is stored: GET and POST /refresh, and the schedule's rounds (spec: DCAP §12). */
export class Refresh {
  readonly #context: ServiceContext;
  readonly #documents: Documents;
  readonly #certificates: PckCertificateRequests;

  constructor(context: ServiceContext, documents: Documents, certificates: PckCertificateRequests) {
    this.#context = context;
    this.#documents = documents;
    this.#certificates = certificates;
  }

  /** All documents, or those that end before `endingBefore`; rounds at the same time share their fetches. */
  documents(trigger: "schedule" | "request", endingBefore?: number): Promise<RefreshOutcome> {
    return this.#round("documents", trigger, async (tally) => {
      const { store, limits, ended } = this.#context;
      // Alone: the others are checked with it, and not beside the one that it replaces.
      await this.#document({ kind: "root-ca-crl" }, endingBefore, tally);
      const requests = await storedDocuments(store);
      await inParallel(requests.slice(0, limits.refreshDocuments), ended, (request) =>
        this.#document(request, endingBefore, tally),
      );
    });
  }

  /**
   * The PCK certificates of platforms of these FMSPCs, of all where none is named, beginning behind `after`. The upstream's
   * budget paces it; a page of platforms is in memory. One replica does it at a time: 503 on another.
   */
  certificates(fmspcs: readonly string[], after?: PlatformKey): Promise<RefreshOutcome> {
    return this.#round("certificates", "request", (tally) => this.#allCertificates(fmspcs, after, tally));
  }

  async #allCertificates(fmspcs: readonly string[], from: PlatformKey | undefined, tally: Tally): Promise<void> {
    const { store, limits, ended, clock } = this.#context;
    const names = fmspcs.length === 0 ? undefined : fmspcs;
    const lease = new KeptLease(store.leases, clock, "refresh/certificates");
    const progress = new Progress(this.#context.report);
    let after = from;
    let page: readonly StoredPlatform[] = [];
    try {
      await lease.take();
      for (let seen = 0; seen < limits.refreshPlatforms; seen += page.length) {
        page = await store.platforms(names, after, Math.min(PAGE, limits.refreshPlatforms - seen));
        await inParallel(page, ended, async (platform) => {
          if (tally.hopeless) return;
          await lease.keep();
          await this.#platform(platform, tally);
          progress.tell(tally);
        });
        if (ended.aborted || tally.hopeless) throw new ServiceRefusal(503, "the round was interrupted");
        if (page.length === 0) return;
        after = page.at(-1);
      }
    } catch (error) {
      tally.interrupted = { after };
      tally.failure(refusalFor(error));
    } finally {
      await lease.release();
    }
  }

  async #document(request: DocumentRequest, endingBefore: number | undefined, tally: Tally): Promise<void> {
    const { store } = this.#context;
    const stored = await readDocument(store, request);
    if (stored === undefined) return;
    if (endingBefore !== undefined && stored.nextUpdate >= endingBefore) return tally.kept(stored.nextUpdate);
    try {
      const { nextUpdate } = await this.#documents.fetch(request, { share: "trusted", patient: true, anew: true });
      tally.done(nextUpdate);
    } catch (error) {
      tally.kept(stored.nextUpdate);
      const refusal = refusalFor(error);
      // An API version of identities may have ended; what is cached stays until its stale limit.
      if (request.kind === "identity" && refusal.status === 404) return;
      tally.failure(new ServiceRefusal(refusal.status, `${requestKey(request)}: ${refusal.message}`, { cause: error }));
    }
  }

  async #platform(platform: StoredPlatform, tally: Tally): Promise<void> {
    const { encryptedPpid, platformManifest } = platform;
    try {
      await this.#certificates.fetchPlatform(platform, { encryptedPpid, platformManifest }, undefined, []);
      tally.done(undefined);
    } catch (error) {
      const refusal = refusalFor(error);
      const reason = `platform ${platform.qeId}/${platform.pceId}: ${refusal.message}`;
      tally.failure(new ServiceRefusal(refusal.status, reason, { cause: error }));
    }
  }

  #round(
    what: "documents" | "certificates",
    trigger: "schedule" | "request",
    work: (tally: Tally) => Promise<void>,
  ): Promise<RefreshOutcome> {
    const { clock, report } = this.#context;
    const start = clock.now();
    const tally = new Tally();
    return work(tally)
      .catch((error: unknown) => tally.failure(refusalFor(error)))
      .then(() => {
        const { refreshed, failed, refusal } = tally;
        const outcome = failed > 0 ? "failed" : "ok";
        const reason = refusal === undefined ? {} : { reason: refusal.message };
        const durationMs = clock.now() - start;
        report({ event: "refresh", what, trigger, outcome, refreshed, failed, durationMs, ...reason });
        return tally;
      });
  }
}

class Tally implements RefreshOutcome {
  refreshed = 0;
  failed = 0;
  refusal: ServiceRefusal | undefined;
  earliestNextUpdate: number | undefined;
  interrupted: RefreshOutcome["interrupted"];
  #inARow = 0;

  /** The upstream cannot be asked at all: no reason to go through a hundred thousand platforms. */
  get hopeless(): boolean {
    return this.#inARow >= MOST_FAILURES;
  }

  done(nextUpdate: number | undefined): void {
    this.refreshed += 1;
    this.#inARow = 0;
    this.kept(nextUpdate);
  }

  kept(nextUpdate: number | undefined): void {
    if (nextUpdate === undefined) return;
    this.earliestNextUpdate = Math.min(this.earliestNextUpdate ?? nextUpdate, nextUpdate);
  }

  failure(refusal: ServiceRefusal): void {
    this.failed += 1;
    this.refusal ??= refusal;
    // What the upstream said no to, it was asked.
    this.#inARow = refusal.status >= 500 ? this.#inARow + 1 : 0;
  }
}

/** Says how far a round has come, every thousand platforms. */
class Progress {
  readonly #report: ServiceReport;
  #refreshed = 0;
  #failed = 0;

  constructor(report: ServiceReport) {
    this.#report = report;
  }

  tell({ refreshed, failed }: Tally): void {
    const seen = refreshed + failed;
    if (seen - this.#refreshed - this.#failed < PROGRESS) return;
    const since = { refreshed: refreshed - this.#refreshed, failed: failed - this.#failed };
    this.#refreshed = refreshed;
    this.#failed = failed;
    this.#report({ event: "refresh-progress", ...since, seen });
  }
}

/** All but the root CA's CRL. */
async function storedDocuments(store: CollateralStore): Promise<readonly DocumentRequest[]> {
  return [
    { kind: "pck-crl", ca: "processor" },
    { kind: "pck-crl", ca: "platform" },
    ...(await store.tcbInfoKeys()).map((key) => ({ kind: "tcb-info", ...key }) as const),
    ...(await store.identityKeys()).map((key) => ({ kind: "identity", ...key }) as const),
    ...(await store.crlUrls()).map((url) => ({ kind: "crl", url }) as const),
  ];
}

async function inParallel<T>(items: readonly T[], ended: AbortSignal, work: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values();
  const worker = async () => {
    for (const item of rest) {
      if (ended.aborted) return;
      await work(item);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
