import { CollateralError } from "../errors.ts";
import { type CertificationCa, requestKey } from "../request.ts";
import type { MaybePromise } from "../store/store.ts";
import type { CheckContext } from "./checks.ts";
import { checkContext, type ServiceContext } from "./context.ts";
import { crlUrlAllowed } from "./crl-hosts.ts";
import { withDeadline } from "./deadline.ts";
import { underLease } from "./leased-work.ts";
import { NegativeCache } from "./negative-cache.ts";
import { isDefinite, refusalFor } from "./refusals.ts";
import type { UpstreamShare } from "./report.ts";
import type { Served } from "./service.ts";
import { ServiceRefusal } from "./status.ts";
import { type Document, type DocumentRequest, documentChange, readDocument } from "./stored-document.ts";

const CAS: readonly CertificationCa[] = ["processor", "platform"];

export interface FetchOptions {
  readonly share: UpstreamShare;
  /** Waits for the budget's rate as long as an answer may take. */
  readonly patient: boolean;
  /** Even if what is stored is fresh. */
  readonly anew?: boolean;
}

/**
 * CRLs, TCB infos and identities: from the store while they are fresh, else from the upstream, checked and stored. What
 * is past its nextUpdate is served, marked stale, for as long as the stale limit allows and nothing newer can be had.
 */
export class Documents {
  readonly #context: ServiceContext;
  /** What the upstream has not. */
  readonly #negative: NegativeCache;
  /** What it could not renew a moment ago: what is stale is not asked for again with every request. */
  readonly #unrenewed: NegativeCache;

  constructor(context: ServiceContext) {
    const { limits, clock } = context;
    const now = () => clock.now();
    this.#context = context;
    this.#negative = new NegativeCache({ entries: limits.negativeEntries, ttlMs: limits.negativeMs }, now);
    this.#unrenewed = new NegativeCache({ entries: limits.negativeEntries, ttlMs: limits.staleRetryMs }, now);
  }

  /** Fails with ServiceRefusal. */
  get<R extends DocumentRequest>(request: R, asking?: () => void): MaybePromise<Served<R>> {
    const stored = readDocument(this.#context.store, request);
    if (stored instanceof Promise) {
      return stored.then(
        (document) => this.#serve(request, document, asking),
        (error: unknown) => Promise.reject(refusalFor(error)),
      );
    }
    return this.#serve(request, stored, asking);
  }

  /**
   * The document as it is stored and fresh, or fetched: for work that needs it, in every mode that has an upstream. Fails
   * with ServiceRefusal.
   */
  async ensure<R extends DocumentRequest>(request: R, share: UpstreamShare): Promise<Document<R>> {
    const stored = await readDocument(this.#context.store, request);
    if (stored !== undefined && this.#isFresh(stored)) return stored;
    const negative = this.#negative.get(requestKey(request), "");
    if (negative !== undefined) throw negative;
    return this.fetch(request, { share, patient: true });
  }

  /** From the upstream, checked and stored; one call per document however many ask. Fails with ServiceRefusal. */
  fetch<R extends DocumentRequest>(request: R, options: FetchOptions): Promise<Document<R>> {
    const { flights, clock, limits, ended } = this.#context;
    const key = requestKey(request);
    return flights[options.share].run(`${key}${options.anew === true ? "/anew" : ""}`, () =>
      withDeadline(clock, limits.answerMs, ended, key, (signal) => this.#fetchLeased(request, options, signal))
        .then((document) => {
          this.#negative.forget(key);
          if (this.#isFresh(document)) this.#unrenewed.forget(key);
          return document;
        })
        .catch((error: unknown) => {
          const refusal = refusalFor(error);
          if (isDefinite(refusal)) this.#negative.put(key, "", refusal);
          throw refusal;
        }),
    );
  }

  #serve<R extends DocumentRequest>(
    request: R,
    stored: Document<R> | undefined,
    asking: (() => void) | undefined,
  ): MaybePromise<Served<R>> {
    const { report } = this.#context;
    if (stored !== undefined && this.#isFresh(stored)) {
      report({ event: "hit", kind: request.kind, stale: false });
      return { answer: stored.answer, stale: false, until: stored.nextUpdate };
    }
    report({ event: "miss", kind: request.kind });
    return stored === undefined ? this.#serveMissing(request, asking) : this.#serveOutdated(request, stored);
  }

  async #serveMissing<R extends DocumentRequest>(request: R, asking: (() => void) | undefined): Promise<Served<R>> {
    const { mode, report, upstream, allowedCrlHosts } = this.#context;
    const key = requestKey(request);
    if (request.kind === "crl" && !crlUrlAllowed(request.url, allowedCrlHosts)) {
      throw new ServiceRefusal(400, "the CRL's host is none of the upstream's or the trusted root's");
    }
    if (mode !== "LAZY" || upstream === undefined) throw new ServiceRefusal(404, `${key} is not in the cache`);
    const negative = this.#negative.get(key, "");
    if (negative !== undefined) {
      report({ event: "negative-hit", kind: request.kind, status: negative.status });
      throw negative;
    }
    asking?.();
    upstream.checkMiss();
    const document = await this.fetch(request, { share: "misses", patient: false });
    if (this.#isFresh(document)) return { answer: document.answer, stale: false, until: document.nextUpdate };
    return this.#serveStale(request, document, undefined);
  }

  async #serveOutdated<R extends DocumentRequest>(request: R, stored: Document<R>): Promise<Served<R>> {
    const { mode, upstream } = this.#context;
    if (mode === "OFFLINE" || upstream === undefined) return this.#serveStale(request, stored, undefined);
    const key = requestKey(request);
    const failed = this.#unrenewed.get(key, "");
    if (failed !== undefined) return this.#serveStale(request, stored, failed);
    try {
      upstream.checkMiss();
      const document = await this.fetch(request, { share: "misses", patient: false });
      if (this.#isFresh(document)) return { answer: document.answer, stale: false, until: document.nextUpdate };
      const expired = new CollateralError("ANSWER_EXPIRED", `${key}: the upstream's own answer is past its nextUpdate`);
      this.#unrenewed.put(key, "", refusalFor(expired));
      return this.#serveStale(request, document, refusalFor(expired));
    } catch (error) {
      const refusal = refusalFor(error);
      this.#unrenewed.put(key, "", refusal);
      return this.#serveStale(request, stored, refusal);
    }
  }

  /** Within the stale limit; past it the refusal that kept it from being renewed: a 404 would say that there is none. */
  #serveStale<R extends DocumentRequest>(
    request: R,
    { answer, nextUpdate }: Document<R>,
    refusal: ServiceRefusal | undefined,
  ): Served<R> {
    const { clock, staleLimitMs, limits, report } = this.#context;
    const now = clock.now();
    if (now - nextUpdate > staleLimitMs) {
      const what = `${requestKey(request)} is past its nextUpdate and the stale limit`;
      const cause = refusal?.cause ?? new CollateralError("ANSWER_EXPIRED", what);
      // What the upstream does not have any more, or could not prove, is no answer either.
      if (refusal?.status === 503) throw refusal;
      throw new ServiceRefusal(502, refusal === undefined ? what : `${what}: ${refusal.message}`, { cause });
    }
    report({ event: "hit", kind: request.kind, stale: true });
    return { answer, stale: true, until: Math.min(now + limits.staleRetryMs, nextUpdate + staleLimitMs) };
  }

  #fetchLeased<R extends DocumentRequest>(
    request: R,
    { share, patient, anew }: FetchOptions,
    signal: AbortSignal,
  ): Promise<Document<R>> {
    const { store, clock, limits } = this.#context;
    return underLease(store.leases, clock, {
      key: requestKey(request),
      withinMs: limits.answerMs,
      signal,
      stored: async () => {
        const stored = await readDocument(store, request);
        return anew !== true && stored !== undefined && this.#isFresh(stored) ? stored : undefined;
      },
      work: () => this.#fetchAndStore(request, { share, patient, signal }),
    });
  }

  async #fetchAndStore<R extends DocumentRequest>(
    request: R,
    caller: { readonly share: UpstreamShare; readonly patient: boolean; readonly signal: AbortSignal },
  ): Promise<Document<R>> {
    const { store, upstream, checks, report, rootCaCrlUrl } = this.#context;
    if (upstream === undefined) throw new ServiceRefusal(503, "there is no upstream");
    const asked: R =
      request.kind === "root-ca-crl" && request.url === undefined && rootCaCrlUrl !== undefined
        ? { ...request, url: rootCaCrlUrl }
        : request;
    const answer = await upstream.fetch(asked, caller);
    let facts: Awaited<ReturnType<typeof checks.answer>>;
    try {
      facts = await checks.answer(request, answer, await this.#checkContext(request));
    } catch (error) {
      upstream.distrusted(request.kind, caller, error);
      throw error;
    }
    caller.signal.throwIfAborted();
    const { issued, nextUpdate } = facts;
    report({ event: "document", key: requestKey(request), kind: request.kind, issued, nextUpdate });
    const kept = request.kind !== "crl" || (await this.#keepsCrl(request.url));
    if (kept) await store.write([documentChange(request, answer, facts)]);
    // The store keeps what was issued later, so what is in it now is the best there is.
    return (kept ? await readDocument(store, request) : undefined) ?? { answer, issued, nextUpdate };
  }

  /** Many URLs lead to the same CRL: what anybody can ask for fills a bounded place, and what has one there is renewed. */
  async #keepsCrl(url: string): Promise<boolean> {
    const urls = await this.#context.store.crlUrls();
    return urls.length < this.#context.limits.crlUrls || urls.includes(url);
  }

  /** A CRL by its distribution point may be a PCK CA's: that CA is known by the chain beneath which its certificates are. */
  async #checkContext(request: DocumentRequest): Promise<CheckContext> {
    const context = await checkContext(this.#context);
    if (request.kind !== "crl") return context;
    const chains = await Promise.all(CAS.map((ca) => this.#pckIssuerChain(ca, request.url)));
    return { ...context, pckIssuerChains: chains.filter((chain) => chain !== undefined) };
  }

  /** Where nothing is stored of the CA that a URL names, its CRL from the provisioning service comes with the chain. */
  async #pckIssuerChain(ca: CertificationCa, url: string): Promise<string | undefined> {
    const { store } = this.#context;
    const stored = (await store.pckChain(ca)) ?? (await store.pckCrl(ca))?.issuerChain;
    if (stored !== undefined || !new RegExp(`[?&]ca=${ca}(?:&|$)`, "i").test(url)) return stored;
    const fetched = await this.ensure({ kind: "pck-crl", ca }, "misses").catch(() => undefined);
    return fetched?.answer.issuerChain;
  }

  #isFresh({ nextUpdate }: { readonly nextUpdate: number }): boolean {
    return this.#context.clock.now() < nextUpdate;
  }
}
