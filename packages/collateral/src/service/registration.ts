import type { IdentityRequest, TcbUpdate } from "../request.ts";
import type { StoreChange, StoredRegistration } from "../store/store.ts";
import type { ServiceContext } from "./context.ts";
import type { Documents } from "./documents.ts";
import type { PckCertificateRequests } from "./pck-certificates.ts";
import { fieldsThatCount } from "./registration-fields.ts";
import type { PlatformRegistration } from "./service.ts";
import { ServiceRefusal } from "./status.ts";
import type { DocumentRequest } from "./stored-document.ts";

/** POST /platforms, in each mode (spec: DCAP §12). */
export class Registration {
  readonly #context: ServiceContext;
  readonly #documents: Documents;
  readonly #certificates: PckCertificateRequests;

  constructor(context: ServiceContext, documents: Documents, certificates: PckCertificateRequests) {
    this.#context = context;
    this.#documents = documents;
    this.#certificates = certificates;
  }

  /**
   * LAZY and REQ: certificates and documents that are not cached are fetched before this resolves. OFFLINE: what is not
   * cached is queued. Fails with ServiceRefusal.
   */
  async register(platform: PlatformRegistration, update: TcbUpdate | "all"): Promise<void> {
    const { mode, store, report } = this.#context;
    const wanted = await this.#normalized(platform);
    const cached = await this.#isCached(wanted);
    if (mode === "OFFLINE") {
      if (!cached) await store.write([queueEntry(wanted, "new")]);
      report({ event: "registered", outcome: cached ? "cached" : "queued" });
      return;
    }
    if (!cached) await this.#fetch(wanted);
    for (const request of quoteVerificationDocuments(update)) await this.#ensure(request);
    const fmspc = (await store.platform(wanted))?.fmspc;
    report({
      event: "registered",
      outcome: cached ? "cached" : "fetched",
      ...(fmspc === undefined ? {} : { fmspc }),
    });
  }

  /** A platform registered by manifest stays so when it reports without one. */
  async #normalized(platform: PlatformRegistration): Promise<PlatformRegistration> {
    const wanted = fieldsThatCount(platform);
    if (wanted.platformManifest !== "") return wanted;
    const known = await this.#context.store.platform(wanted);
    return known === undefined ? wanted : { ...wanted, platformManifest: known.platformManifest };
  }

  async #isCached(platform: PlatformRegistration): Promise<boolean> {
    const { store } = this.#context;
    const known = await store.platform(platform);
    if (known === undefined) return false;
    if (platform.cpuSvn === "") return known.platformManifest === platform.platformManifest;
    return (await store.pckAnswer(platform)) !== undefined;
  }

  /** In REQ the entry in the queue outlives a failure and a crash: it says what is still to be done. */
  async #fetch(platform: PlatformRegistration): Promise<void> {
    const { mode, store } = this.#context;
    const { encryptedPpid, platformManifest } = platform;
    if (mode === "REQ") await store.write([queueEntry(platform, "new")]);
    const also = mode === "REQ" ? [queueEntry(platform, "deleted")] : [];
    const rawTcb = platform.cpuSvn === "" ? undefined : platform;
    await this.#certificates.fetchPlatform(platform, { encryptedPpid, platformManifest }, rawTcb, also);
  }

  /** What the upstream has not is left out: a quoting verification enclave's identity, or an API version that ended. */
  async #ensure(request: DocumentRequest): Promise<void> {
    try {
      await this.#documents.ensure(request, "trusted");
    } catch (error) {
      if (!(error instanceof ServiceRefusal && error.status === 404)) throw error;
    }
  }
}

function queueEntry(platform: PlatformRegistration, state: StoredRegistration["state"]): StoreChange {
  const { qeId, pceId, cpuSvn, pceSvn, encryptedPpid, platformManifest } = platform;
  return { put: "registration", registration: { qeId, pceId, cpuSvn, pceSvn, encryptedPpid, platformManifest, state } };
}

/** What a verifier needs besides TCB info: fetched along with a registration. */
export function quoteVerificationDocuments(update: TcbUpdate | "all"): readonly DocumentRequest[] {
  const updates: readonly TcbUpdate[] = update === "all" ? ["early", "standard"] : [update];
  const identity = (request: Omit<IdentityRequest, "kind" | "update">): readonly IdentityRequest[] =>
    updates.map((each) => ({ kind: "identity", ...request, update: each }));
  return [
    { kind: "pck-crl", ca: "processor" },
    { kind: "pck-crl", ca: "platform" },
    ...identity({ id: "QE", version: 3 }),
    ...identity({ id: "QE", version: 4 }),
    ...identity({ id: "QVE", version: 3 }),
    ...identity({ id: "QVE", version: 4 }),
    ...identity({ id: "TD_QE", version: 4 }),
    { kind: "root-ca-crl" },
  ];
}
