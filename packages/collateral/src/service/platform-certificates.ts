import type { ApiVersion, TcbInfoRequest, TcbUpdate, Tee } from "../request.ts";
import type { PckCertificates, PlatformCredential } from "../source.ts";
import type { PlatformKey, RawTcbKey, StoreChange, StoredPckAnswer, StoredPckCertificate } from "../store/store.ts";
import { checkContext, type ServiceContext } from "./context.ts";
import type { Documents } from "./documents.ts";
import { ServiceRefusal } from "./status.ts";
import type { Caller } from "./upstream-calls.ts";

export interface PlatformCredentials {
  /** 768 digits, or empty. */
  readonly encryptedPpid: string;
  /** Or empty. */
  readonly platformManifest: string;
}

export interface FetchedPlatform {
  /** Whether what is chosen among the certificates may be kept. */
  readonly keepsChoice: boolean;
}

/** Who a platform is to the provisioning service: the manifest goes before the encrypted PPID. Throws ServiceRefusal 400, 404. */
export function credentialOf({ encryptedPpid, platformManifest }: PlatformCredentials): PlatformCredential {
  if (platformManifest !== "") return { platformManifest };
  if (encryptedPpid === "") throw new ServiceRefusal(400, "neither an encrypted PPID nor a platform manifest");
  // What the QPL sends where it knows no PPID.
  if (/^0+$/.test(encryptedPpid)) throw new ServiceRefusal(404, "the encrypted PPID is all zeros");
  return { encryptedPpid };
}

/** All PCK certificates of one platform: fetched with its FMSPC's TCB infos, chosen among, and stored in one transaction. */
export class PlatformCertificates {
  readonly #context: ServiceContext;
  readonly #documents: Documents;

  constructor(context: ServiceContext, documents: Documents) {
    this.#context = context;
    this.#documents = documents;
  }

  /**
   * What a known platform is answered at this raw TCB: as stored, or chosen among its stored certificates where the TCB is
   * reported for the first time. `keeps`: whether such a choice is kept, for a bounded number of raw TCBs. Fails with
   * ServiceRefusal 461, 404.
   */
  async answer(rawTcb: RawTcbKey, keeps: boolean): Promise<StoredPckAnswer> {
    const { store, limits } = this.#context;
    const stored = await store.pckAnswer(rawTcb);
    if (stored !== undefined) return stored;
    const platform = await store.platform(rawTcb);
    if (platform === undefined) throw new ServiceRefusal(461, "the platform is not in the cache");
    const { fmspc, ca } = platform;
    const certificates = await store.pckCertificates(rawTcb);
    if (certificates.length === 0) throw new ServiceRefusal(404, "no certificates are cached for the platform");
    const tcbInfo = await this.#storedTcbInfo(fmspc);
    if (tcbInfo === undefined) throw new ServiceRefusal(404, `no TCB info is cached for FMSPC ${fmspc}`);
    const issuerChain = await store.pckChain(ca);
    if (issuerChain === undefined) throw new ServiceRefusal(404, `no chain is cached for the ${ca} CA`);
    const selected = this.#select(certificates, tcbInfo, rawTcb);
    if (selected === undefined) throw new ServiceRefusal(404, "no certificate fits the platform's TCB");
    if (keeps && (await store.rawTcbs(rawTcb)).length < limits.rawTcbs) {
      await store.write([{ put: "platform-tcb", key: onlyRawTcb(rawTcb), tcbm: selected.tcbm }]);
    }
    return { ...selected, fmspc, ca, issuerChain };
  }

  /**
   * Fetches a platform's certificates, checks and stores them, with the choice for each raw TCB seen before and for
   * `rawTcb`. `also` is written in the same transaction. Fails with ServiceRefusal or CollateralError.
   */
  async fetch(
    key: PlatformKey,
    credentials: PlatformCredentials,
    rawTcb: RawTcbKey | undefined,
    caller: Caller,
    also: readonly StoreChange[] = [],
  ): Promise<FetchedPlatform> {
    const { store, mode } = this.#context;
    const { certificates, fmspc, ca, issuerChain } = await this.#fetchChecked(key, credentials, caller);
    const available = certificates.flatMap(({ tcbm, certificate }) =>
      certificate === undefined ? [] : [{ tcbm, certificate }],
    );
    const missing = certificates.filter(({ certificate }) => certificate === undefined);
    const queued = mode === "REQ" ? missing.map(({ tcbm }) => notAvailable(key, credentials, tcbm)) : [];
    if (available.length === 0) {
      if (queued.length > 0) await store.write(queued);
      throw new ServiceRefusal(404, "the provisioning service has no certificate for any TCB of the platform");
    }
    const tcbInfo = await this.#fetchTcbInfos(fmspc, caller);
    // As in Intel's PCCS in LAZY: while certificates are missing, a choice may not be the last word.
    const keepsChoice = mode !== "LAZY" || missing.length === 0;
    const rawTcbs = [...(await store.rawTcbs(key)), ...(rawTcb !== undefined && keepsChoice ? [rawTcb] : [])];
    caller.signal.throwIfAborted();
    await store.write([
      { put: "platform", platform: { ...onlyPlatform(key), ...credentials, fmspc, ca } },
      { drop: "pck-certificates", key: onlyPlatform(key) },
      ...available.map((certificate) => ({ put: "pck-certificate", key: onlyPlatform(key), certificate }) as const),
      { put: "pck-chain", ca, issuerChain },
      ...this.#choices(rawTcbs, available, tcbInfo),
      // A TCB without a certificate stays in the queue, also where it is the one that was registered.
      ...also,
      ...queued,
    ]);
    return { keepsChoice };
  }

  async #fetchChecked(key: PlatformKey, credentials: PlatformCredentials, caller: Caller): Promise<PckCertificates> {
    const { upstream, checks } = this.#context;
    const credential = credentialOf(credentials);
    if (upstream === undefined) throw new ServiceRefusal(503, "there is no upstream");
    const answer = await upstream.pckCertificates(credential, key.pceId, caller);
    try {
      await checks.pckCertificates(answer, key.pceId, await checkContext(this.#context));
    } catch (error) {
      upstream.distrusted("pck-certificates", caller, error);
      throw error;
    }
    return answer;
  }

  /** Raw TCBs seen before are among them: certificates may have been added or withdrawn. */
  #choices(
    rawTcbs: readonly RawTcbKey[],
    available: readonly StoredPckCertificate[],
    tcbInfo: string,
  ): readonly StoreChange[] {
    return rawTcbs.flatMap((rawTcb) => {
      const selected = this.#select(available, tcbInfo, rawTcb);
      return selected === undefined
        ? []
        : [{ put: "platform-tcb", key: onlyRawTcb(rawTcb), tcbm: selected.tcbm } as const];
    });
  }

  #select(
    certificates: readonly StoredPckCertificate[],
    tcbInfo: string,
    { cpuSvn, pceSvn, pceId }: RawTcbKey,
  ): StoredPckCertificate | undefined {
    return this.#context.checks.select(certificates, tcbInfo, { cpuSvn, pceSvn, pceId });
  }

  /** SGX TCB info decides, early before standard, whatever the TEE. */
  async #storedTcbInfo(fmspc: string): Promise<string | undefined> {
    const versions: readonly ApiVersion[] = [4, 3];
    for (const version of versions) {
      for (const update of ["early", "standard"] as const) {
        const stored = await this.#context.store.tcbInfo({ tee: "sgx", fmspc, version, update });
        if (stored !== undefined) return stored.body;
      }
    }
    return undefined;
  }

  /** All four, as Intel's PCCS stores them along; SGX standard must be there, the others where the upstream has them. */
  async #fetchTcbInfos(fmspc: string, caller: Caller): Promise<string> {
    const fetch = (tee: Tee, update: TcbUpdate) =>
      this.#documents.ensure(
        { kind: "tcb-info", tee, fmspc, update, version: 4 } satisfies TcbInfoRequest,
        caller.share,
      );
    const optional = (tee: Tee, update: TcbUpdate) => fetch(tee, update).catch(() => undefined);
    const [early, standard] = await Promise.all([
      optional("sgx", "early"),
      fetch("sgx", "standard"),
      optional("tdx", "early"),
      optional("tdx", "standard"),
    ]);
    return (early ?? standard).answer.body;
  }
}

function notAvailable(key: PlatformKey, credentials: PlatformCredentials, tcbm: string): StoreChange {
  const registration = {
    ...onlyPlatform(key),
    ...credentials,
    cpuSvn: tcbm.slice(0, 32),
    pceSvn: tcbm.slice(32),
    state: "not-available",
  } as const;
  return { put: "registration", registration };
}

const onlyPlatform = ({ qeId, pceId }: PlatformKey): PlatformKey => ({ qeId, pceId });
const onlyRawTcb = ({ qeId, pceId, cpuSvn, pceSvn }: RawTcbKey): RawTcbKey => ({ qeId, pceId, cpuSvn, pceSvn });
