import { CollateralError } from "../errors.ts";
import type { PckCertificateRequest } from "../request.ts";
import type { MaybePromise, PlatformKey, RawTcbKey, StoreChange, StoredPckAnswer } from "../store/store.ts";
import type { ServiceContext } from "./context.ts";
import { withDeadline } from "./deadline.ts";
import { underLease } from "./leased-work.ts";
import { NegativeCache } from "./negative-cache.ts";
import {
  credentialOf,
  type FetchedPlatform,
  type PlatformCertificates,
  type PlatformCredentials,
} from "./platform-certificates.ts";
import { isDefinite, refusalFor } from "./refusals.ts";
import type { UpstreamShare } from "./report.ts";
import type { Served } from "./service.ts";
import { ServiceRefusal } from "./status.ts";

/** A certificate in the store holds for years; an answer made from it is looked up again after this. */
const HOLDS_MS = 3_600_000;

const groupOf = ({ qeId, pceId }: PlatformKey) => `${qeId}/${pceId}`;

/** GET /pckcert, in each mode (spec: DCAP §12), and the fetching of one platform that registration does too. */
export class PckCertificateRequests {
  readonly #context: ServiceContext;
  readonly #platforms: PlatformCertificates;
  readonly #digest: (text: string) => string;
  /** What was refused, by platform, encrypted PPID and raw TCB: another's PPID must not speak for this one. */
  readonly #negative: NegativeCache;
  /** What could not be renewed a moment ago, by platform: what has ended is not asked for again with every request. */
  readonly #unrenewed: NegativeCache;

  constructor(context: ServiceContext, platforms: PlatformCertificates, digest: (text: string) => string) {
    const { limits, clock } = context;
    this.#context = context;
    this.#platforms = platforms;
    this.#digest = digest;
    const now = () => clock.now();
    this.#negative = new NegativeCache({ entries: limits.negativeEntries, ttlMs: limits.negativeMs }, now);
    this.#unrenewed = new NegativeCache({ entries: limits.negativeEntries, ttlMs: limits.staleRetryMs }, now);
  }

  /** Fails with ServiceRefusal. */
  get(request: PckCertificateRequest, asking?: () => void): MaybePromise<Served<PckCertificateRequest>> {
    const stored = this.#context.store.pckAnswer(request);
    if (stored instanceof Promise) {
      return stored
        .then((answer) => (answer === undefined ? this.#miss(request, asking) : this.#hit(request, answer)))
        .catch((error: unknown) => Promise.reject(refusalFor(error)));
    }
    return stored === undefined ? this.#miss(request, asking) : this.#hit(request, stored);
  }

  /**
   * A platform's certificates anew: registration and refresh. With `rawTcb` there must be one for it. `also` is written in
   * the same transaction. Fails with ServiceRefusal.
   */
  async fetchPlatform(
    key: PlatformKey,
    credentials: PlatformCredentials,
    rawTcb: RawTcbKey | undefined,
    also: readonly StoreChange[],
  ): Promise<void> {
    credentialOf(credentials);
    const digest = this.#digest(JSON.stringify([credentials, rawTcb ?? null]));
    try {
      const { keepsChoice } = await this.#fly("trusted", `platform/${groupOf(key)}/${digest}`, key, {
        stored: async () => undefined,
        work: (signal) =>
          this.#platforms.fetch(key, credentials, rawTcb, { share: "trusted", patient: true, signal }, also),
      });
      this.#negative.forget(groupOf(key));
      this.#unrenewed.forget(groupOf(key));
      if (rawTcb !== undefined) await this.#platforms.answer(rawTcb, keepsChoice);
    } catch (error) {
      throw refusalFor(error);
    }
  }

  /** What others wrote: a platform that was unknown may be known now. */
  changed(changes: readonly StoreChange[] | undefined): void {
    if (changes === undefined) this.#negative.clear();
    for (const change of changes ?? []) {
      if ("drop" in change) continue;
      if (change.put === "platform") this.#negative.forget(groupOf(change.platform));
      else if (change.put === "pck-certificate") this.#negative.forget(groupOf(change.key));
    }
  }

  #hit(request: PckCertificateRequest, answer: StoredPckAnswer): MaybePromise<Served<PckCertificateRequest>> {
    const { report, clock, checks } = this.#context;
    if (clock.now() >= checks.certificateEnd(answer)) return this.#renew(request, answer);
    report({ event: "hit", kind: "pck-certificate", stale: false });
    return this.#served(answer);
  }

  /** Past the certificate's end, or its chain's, it is as stale as a document past its nextUpdate. */
  #served(answer: StoredPckAnswer, refusal?: ServiceRefusal): Served<PckCertificateRequest> {
    const { clock, checks, staleLimitMs, limits, report } = this.#context;
    const now = clock.now();
    const end = checks.certificateEnd(answer);
    const content = { kind: "pck-certificate", ...answer } as const;
    if (now < end) return { answer: content, stale: false, until: Math.min(end, now + HOLDS_MS) };
    if (now - end > staleLimitMs) {
      if (refusal?.status === 503) throw refusal;
      const what = "the PCK certificate or its chain has ended, and the stale limit after it";
      const cause = refusal?.cause ?? new CollateralError("ANSWER_EXPIRED", what);
      throw new ServiceRefusal(502, refusal === undefined ? what : `${what}: ${refusal.message}`, { cause });
    }
    report({ event: "hit", kind: "pck-certificate", stale: true });
    return { answer: content, stale: true, until: Math.min(now + limits.staleRetryMs, end + staleLimitMs) };
  }

  /** The platform's certificates anew, as one who registered with them; what is stored where they cannot be had. */
  async #renew(request: PckCertificateRequest, stored: StoredPckAnswer): Promise<Served<PckCertificateRequest>> {
    const { store, mode, upstream, report } = this.#context;
    report({ event: "miss", kind: "pck-certificate" });
    const group = groupOf(request);
    const platform = await store.platform(request);
    if (mode === "OFFLINE" || upstream === undefined || platform === undefined) return this.#served(stored);
    const failed = this.#unrenewed.get(group, "");
    if (failed !== undefined) return this.#served(stored, failed);
    const { encryptedPpid, platformManifest } = platform;
    const credentials = { encryptedPpid, platformManifest };
    try {
      upstream.checkMiss();
      await this.#fly("misses", `platform/${group}/renewed`, request, {
        stored: async () => {
          const answer = await store.pckAnswer(request);
          return answer !== undefined && !this.#hasEnded(answer) ? { keepsChoice: true } : undefined;
        },
        work: (signal) =>
          this.#platforms.fetch(request, credentials, undefined, { share: "misses", patient: false, signal }),
      });
      const renewed = await this.#platforms.answer(request, true);
      if (!this.#hasEnded(renewed)) return this.#served(renewed);
      const ended = refusalFor(new CollateralError("ANSWER_EXPIRED", "the upstream's own PCK certificate has ended"));
      this.#unrenewed.put(group, "", ended);
      return this.#served(renewed, ended);
    } catch (error) {
      const refusal = refusalFor(error);
      this.#unrenewed.put(group, "", refusal);
      return this.#served(stored, refusal);
    }
  }

  #hasEnded(answer: StoredPckAnswer): boolean {
    return this.#context.clock.now() >= this.#context.checks.certificateEnd(answer);
  }

  async #miss(
    request: PckCertificateRequest,
    asking: (() => void) | undefined,
  ): Promise<Served<PckCertificateRequest>> {
    const { report } = this.#context;
    report({ event: "miss", kind: "pck-certificate" });
    const group = groupOf(request);
    const digest = this.#digest(request.encryptedPpid ?? "");
    const key = `${digest}/${request.cpuSvn}/${request.pceSvn}`;
    const negative = this.#negative.get(group, key) ?? this.#negative.get(group, digest);
    if (negative !== undefined) {
      report({ event: "negative-hit", kind: "pck-certificate", status: negative.status });
      throw negative;
    }
    try {
      return this.#served(await this.#lookUp(request, group, digest, asking));
    } catch (error) {
      const refusal = refusalFor(error);
      if (isDefinite(refusal)) this.#negative.put(group, key, refusal);
      throw refusal;
    }
  }

  async #lookUp(
    request: PckCertificateRequest,
    group: string,
    digest: string,
    asking: (() => void) | undefined,
  ): Promise<StoredPckAnswer> {
    const { store, mode, upstream, flights } = this.#context;
    let keeps = true;
    if ((await store.platform(request)) === undefined) {
      if (mode !== "LAZY" || upstream === undefined) throw new ServiceRefusal(461, "the platform is not in the cache");
      credentialOf({ encryptedPpid: request.encryptedPpid ?? "", platformManifest: "" });
      asking?.();
      upstream.checkMiss();
      keeps = (await this.#fetchUnknown(request, group, digest)).keepsChoice;
    }
    return flights.misses.run(`answer/${group}/${request.cpuSvn}/${request.pceSvn}`, () =>
      this.#platforms.answer(request, keeps),
    );
  }

  /** One fetch brings the certificates of all TCBs, so it is one per platform, whichever of them is asked for. */
  async #fetchUnknown(request: PckCertificateRequest, group: string, digest: string): Promise<FetchedPlatform> {
    const credentials = { encryptedPpid: request.encryptedPpid ?? "", platformManifest: "" };
    try {
      return await this.#fly("misses", `platform/${group}/${digest}`, request, {
        stored: async () =>
          (await this.#context.store.platform(request)) === undefined ? undefined : { keepsChoice: true },
        work: (signal) =>
          this.#platforms.fetch(request, credentials, request, { share: "misses", patient: false, signal }),
      });
    } catch (error) {
      const refusal = refusalFor(error);
      if (isDefinite(refusal)) this.#negative.put(group, digest, refusal);
      throw refusal;
    }
  }

  #fly(
    share: UpstreamShare,
    flight: string,
    key: PlatformKey,
    task: {
      readonly stored: () => Promise<FetchedPlatform | undefined>;
      readonly work: (signal: AbortSignal) => Promise<FetchedPlatform>;
    },
  ): Promise<FetchedPlatform> {
    const { store, clock, limits, flights, ended } = this.#context;
    const what = `the certificates of platform ${groupOf(key)}`;
    return flights[share].run(flight, () =>
      withDeadline(clock, limits.answerMs, ended, what, (signal) =>
        underLease(store.leases, clock, {
          key: `platform/${groupOf(key)}`,
          withinMs: limits.answerMs,
          signal,
          stored: task.stored,
          work: () => task.work(signal),
        }),
      ),
    );
  }
}
