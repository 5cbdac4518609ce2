import type { Clock } from "../../clock.ts";
import { CollateralError } from "../../errors.ts";
import type { CertificationCa } from "../../request.ts";
import { ChangeListeners } from "../../store/change-listeners.ts";
import { MemoryLeases } from "../../store/memory-leases.ts";
import type {
  ChangeListener,
  CollateralStore,
  IdentityKey,
  PlatformKey,
  RawTcbKey,
  RegistrationState,
  StoreChange,
  StoredCrl,
  StoredJson,
  StoredPckAnswer,
  StoredPckCertificate,
  StoredPlatform,
  StoredPolicy,
  StoredRegistration,
  TcbInfoKey,
} from "../../store/store.ts";

const keyOf = (...parts: readonly unknown[]) => JSON.stringify(parts);
const platformKeyOf = ({ qeId, pceId }: PlatformKey) => keyOf(qeId, pceId);
const rawTcbKeyOf = ({ qeId, pceId, cpuSvn, pceSvn }: RawTcbKey) => keyOf(qeId, pceId, cpuSvn, pceSvn);
const tcbInfoKeyOf = ({ tee, fmspc, version, update }: TcbInfoKey) => keyOf(tee, fmspc, version, update);
const identityKeyOf = ({ id, version, update }: IdentityKey) => keyOf(id, version, update);

/** Every row a `put` may bring must be whole, as the NOT NULL of a real schema has it. */
function isWhole(value: unknown): boolean {
  if (value === null || value === undefined) return false;
  if (typeof value !== "object" || ArrayBuffer.isView(value)) return true;
  return Object.values(value).every(isWhole);
}

/**
 * A store in memory, for tests of what is built on stores: it keeps the promises of CollateralStore and can be told to
 * fail. Two services on one of it are two replicas on one database.
 */
export class MemoryStore implements CollateralStore {
  readonly name = "memory";
  readonly leases: MemoryLeases;
  /** What every write and ping fails with from now on, until it is undefined again. */
  failure: CollateralError | undefined;
  /** Batches committed. */
  writes = 0;
  readonly #platforms = new Map<string, StoredPlatform>();
  readonly #rawTcbs = new Map<string, RawTcbKey & { readonly tcbm: string }>();
  readonly #certificates = new Map<string, Map<string, StoredPckCertificate>>();
  readonly #chains = new Map<CertificationCa, string>();
  readonly #crls = new Map<string, StoredCrl>();
  readonly #json = new Map<string, StoredJson>();
  readonly #tcbInfoKeys = new Map<string, TcbInfoKey>();
  readonly #identityKeys = new Map<string, IdentityKey>();
  readonly #registrations = new Map<string, StoredRegistration>();
  readonly #policies = new Map<string, StoredPolicy>();
  readonly #listeners = new ChangeListeners("memory", () => undefined);
  #closed = false;

  constructor(clock: Clock) {
    this.leases = new MemoryLeases(clock);
  }

  pckAnswer(key: RawTcbKey): StoredPckAnswer | undefined {
    const platform = this.platform(key);
    const tcbm = this.#rawTcbs.get(rawTcbKeyOf(key))?.tcbm;
    if (platform === undefined || tcbm === undefined) return undefined;
    const certificate = this.#certificates.get(platformKeyOf(key))?.get(tcbm);
    const issuerChain = this.#chains.get(platform.ca);
    if (certificate === undefined || issuerChain === undefined) return undefined;
    return { ...certificate, fmspc: platform.fmspc, ca: platform.ca, issuerChain };
  }

  platform(key: PlatformKey): StoredPlatform | undefined {
    return this.#platforms.get(platformKeyOf(key));
  }

  pckCertificates(key: PlatformKey): readonly StoredPckCertificate[] {
    return [...(this.#certificates.get(platformKeyOf(key))?.values() ?? [])];
  }

  pckChain(ca: CertificationCa): string | undefined {
    return this.#chains.get(ca);
  }

  pckCrl(ca: CertificationCa): StoredCrl | undefined {
    return this.#crls.get(keyOf("pck", ca));
  }

  rootCaCrl(): StoredCrl | undefined {
    return this.#crls.get(keyOf("root"));
  }

  crl(url: string): StoredCrl | undefined {
    return this.#crls.get(keyOf("url", url));
  }

  tcbInfo(key: TcbInfoKey): StoredJson | undefined {
    return this.#json.get(tcbInfoKeyOf(key));
  }

  identity(key: IdentityKey): StoredJson | undefined {
    return this.#json.get(identityKeyOf(key));
  }

  policies(fmspc: string): readonly StoredPolicy[] {
    return [...this.#policies.values()].filter((policy) => policy.fmspc === fmspc);
  }

  registrations(states: readonly RegistrationState[], limit: number): readonly StoredRegistration[] {
    return [...this.#registrations.values()].filter(({ state }) => states.includes(state)).slice(0, limit);
  }

  platforms(
    fmspcs: readonly string[] | undefined,
    after: PlatformKey | undefined,
    limit: number,
  ): readonly StoredPlatform[] {
    const order = (a: PlatformKey, b: PlatformKey) => compare(a.qeId, b.qeId) || compare(a.pceId, b.pceId);
    return [...this.#platforms.values()]
      .filter((row) => fmspcs === undefined || fmspcs.includes(row.fmspc))
      .filter((row) => after === undefined || order(row, after) > 0)
      .sort(order)
      .slice(0, limit);
  }

  rawTcbs(key: PlatformKey): readonly (RawTcbKey & { readonly tcbm: string })[] {
    return [...this.#rawTcbs.values()].filter((row) => platformKeyOf(row) === platformKeyOf(key));
  }

  tcbInfoKeys(): readonly TcbInfoKey[] {
    return [...this.#tcbInfoKeys.values()];
  }

  identityKeys(): readonly IdentityKey[] {
    return [...this.#identityKeys.values()];
  }

  crlUrls(): readonly string[] {
    return [...this.#crls.keys()]
      .map((key) => JSON.parse(key) as string[])
      .flatMap(([kind, url]) => (kind === "url" && url !== undefined ? [url] : []));
  }

  counts(): { readonly platforms: number; readonly certificates: number } {
    let certificates = 0;
    for (const rows of this.#certificates.values()) certificates += rows.size;
    return { platforms: this.#platforms.size, certificates };
  }

  async write(changes: readonly StoreChange[]): Promise<void> {
    await this.ping();
    if (!changes.every(isWhole)) throw new CollateralError("STORE_IO", "a row is not whole");
    for (const change of changes) this.#apply(change);
    this.writes += 1;
    this.#listeners.tell(changes);
  }

  async takeRegistrations(
    states: readonly RegistrationState[],
    maximumBytes: number = Number.POSITIVE_INFINITY,
  ): Promise<readonly StoredRegistration[]> {
    await this.ping();
    let bytes = 0;
    const taken = this.registrations(states, Number.POSITIVE_INFINITY).filter(({ platformManifest, encryptedPpid }) => {
      bytes += platformManifest.length + encryptedPpid.length + 512;
      return bytes <= maximumBytes;
    });
    for (const row of taken) this.#registrations.set(rawTcbKeyOf(row), { ...row, state: "deleted" });
    return taken;
  }

  onChange(listener: ChangeListener): () => void {
    return this.#listeners.add(listener);
  }

  async backup(): Promise<void> {
    throw new CollateralError("STORE_IO", "a store in memory has no backup");
  }

  async ping(): Promise<void> {
    if (this.#closed) throw new CollateralError("STORE_IO", "the store is closed");
    if (this.failure !== undefined) throw this.failure;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.leases.close();
  }

  #apply(change: StoreChange): void {
    if ("drop" in change) {
      this.#certificates.delete(platformKeyOf(change.key));
      for (const row of this.rawTcbs(change.key)) this.#rawTcbs.delete(rawTcbKeyOf(row));
      return;
    }
    switch (change.put) {
      case "platform":
        this.#platforms.set(platformKeyOf(change.platform), change.platform);
        break;
      case "platform-tcb":
        this.#rawTcbs.set(rawTcbKeyOf(change.key), { ...change.key, tcbm: change.tcbm });
        break;
      case "pck-certificate": {
        const rows = this.#certificates.get(platformKeyOf(change.key)) ?? new Map<string, StoredPckCertificate>();
        rows.set(change.certificate.tcbm, change.certificate);
        this.#certificates.set(platformKeyOf(change.key), rows);
        break;
      }
      case "pck-chain":
        this.#chains.set(change.ca, change.issuerChain);
        break;
      case "pck-crl":
        putLater(this.#crls, keyOf("pck", change.ca), change.crl);
        break;
      case "root-ca-crl":
        putLater(this.#crls, keyOf("root"), change.crl);
        break;
      case "crl":
        putLater(this.#crls, keyOf("url", change.url), change.crl);
        break;
      case "tcb-info":
        putLater(this.#json, tcbInfoKeyOf(change.key), change.json);
        this.#tcbInfoKeys.set(tcbInfoKeyOf(change.key), change.key);
        break;
      case "identity":
        putLater(this.#json, identityKeyOf(change.key), change.json);
        this.#identityKeys.set(identityKeyOf(change.key), change.key);
        break;
      case "registration":
        this.#registrations.set(rawTcbKeyOf(change.registration), change.registration);
        break;
      case "policy":
        if (change.policy.isDefault) {
          for (const [id, former] of this.#policies) {
            if (former.fmspc === change.policy.fmspc) this.#policies.set(id, { ...former, isDefault: false });
          }
        }
        this.#policies.set(change.policy.id, change.policy);
        break;
    }
  }
}

function putLater<T extends { readonly issued: number }>(rows: Map<string, T>, key: string, row: T): void {
  const present = rows.get(key);
  if (present === undefined || present.issued <= row.issued) rows.set(key, row);
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
