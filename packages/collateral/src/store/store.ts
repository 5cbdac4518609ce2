import type { ApiVersion, CertificationCa, IdentityName, TcbUpdate, Tee } from "../request.ts";
import type { PackedChanges } from "./packed-changes.ts";

/**
 * What the PCCS-compatible service keeps (tables: spec DCAP §12). Two implementations: SQLite in the state directory,
 * PostgreSQL for several replicas. Reads of SQLite answer at once, so that the request path needs no turn of the loop.
 */

export type MaybePromise<T> = T | Promise<T>;

/** Hexadecimal, upper case: which platform. */
export interface PlatformKey {
  readonly qeId: string;
  /** 4 digits, little-endian bytes. */
  readonly pceId: string;
}

/** A platform at one raw TCB. */
export interface RawTcbKey extends PlatformKey {
  /** 32 digits. */
  readonly cpuSvn: string;
  /** 4 digits, little-endian bytes. */
  readonly pceSvn: string;
}

export interface StoredPlatform extends PlatformKey {
  readonly platformManifest: string;
  /** 768 digits, or empty. */
  readonly encryptedPpid: string;
  readonly fmspc: string;
  readonly ca: CertificationCa;
}

export interface StoredPckCertificate {
  /** 36 digits. */
  readonly tcbm: string;
  /** PEM leaf. */
  readonly certificate: string;
}

/** All that one answer to /pckcert needs, in one read. */
export interface StoredPckAnswer extends StoredPckCertificate {
  readonly fmspc: string;
  readonly ca: CertificationCa;
  /** PEM: intermediate and root. */
  readonly issuerChain: string;
}

export interface DocumentTimes {
  /** Milliseconds since 1970: issueDate or thisUpdate. A document never replaces one that was issued later. */
  readonly issued: number;
  /** Milliseconds since 1970. */
  readonly nextUpdate: number;
}

export interface StoredCrl extends DocumentTimes {
  /** DER. */
  readonly crl: Uint8Array;
  /** PEM; empty for a root CRL or one by its distribution point. */
  readonly issuerChain: string;
}

export interface StoredJson extends DocumentTimes {
  readonly body: string;
  /** PEM: TCB signing certificate and root. */
  readonly issuerChain: string;
}

export interface TcbInfoKey {
  readonly tee: Tee;
  readonly fmspc: string;
  readonly version: ApiVersion;
  readonly update: TcbUpdate;
}

export interface IdentityKey {
  readonly id: IdentityName;
  readonly version: ApiVersion;
  readonly update: TcbUpdate;
}

/** As Intel's cache numbers them. */
export type RegistrationState = "new" | "not-available" | "deleted";

export interface StoredRegistration extends RawTcbKey {
  readonly encryptedPpid: string;
  readonly platformManifest: string;
  readonly state: RegistrationState;
}

export interface StoredPolicy {
  /** SHA-384 of the policy, 96 hexadecimal digits. */
  readonly id: string;
  readonly type: number;
  /** A JWT. */
  readonly policy: string;
  readonly isDefault: boolean;
  readonly fmspc: string;
}

/** One change of the database. Several are written in one transaction: all or none. */
export type StoreChange =
  | { readonly put: "platform"; readonly platform: StoredPlatform }
  | { readonly put: "platform-tcb"; readonly key: RawTcbKey; readonly tcbm: string }
  | { readonly put: "pck-certificate"; readonly key: PlatformKey; readonly certificate: StoredPckCertificate }
  /** Its certificates and raw TCB rows go; the platform stays. */
  | { readonly drop: "pck-certificates"; readonly key: PlatformKey }
  | { readonly put: "pck-chain"; readonly ca: CertificationCa; readonly issuerChain: string }
  | { readonly put: "pck-crl"; readonly ca: CertificationCa; readonly crl: StoredCrl }
  | { readonly put: "root-ca-crl"; readonly crl: StoredCrl }
  | { readonly put: "crl"; readonly url: string; readonly crl: StoredCrl }
  | { readonly put: "tcb-info"; readonly key: TcbInfoKey; readonly json: StoredJson }
  | { readonly put: "identity"; readonly key: IdentityKey; readonly json: StoredJson }
  | { readonly put: "registration"; readonly registration: StoredRegistration }
  /** A default one takes the place of the default that its FMSPC had, which stays as a policy. */
  | { readonly put: "policy"; readonly policy: StoredPolicy };

/** A change that was committed, so that what was made from it can be forgotten. Undefined `change`: anything may have changed. */
export type ChangeListener = (changes: readonly StoreChange[] | undefined) => void;

export interface CollateralStore {
  /** For messages: kind and place, without secrets. */
  readonly name: string;

  pckAnswer(key: RawTcbKey): MaybePromise<StoredPckAnswer | undefined>;
  platform(key: PlatformKey): MaybePromise<StoredPlatform | undefined>;
  pckCertificates(key: PlatformKey): MaybePromise<readonly StoredPckCertificate[]>;
  pckChain(ca: CertificationCa): MaybePromise<string | undefined>;
  pckCrl(ca: CertificationCa): MaybePromise<StoredCrl | undefined>;
  rootCaCrl(): MaybePromise<StoredCrl | undefined>;
  crl(url: string): MaybePromise<StoredCrl | undefined>;
  tcbInfo(key: TcbInfoKey): MaybePromise<StoredJson | undefined>;
  identity(key: IdentityKey): MaybePromise<StoredJson | undefined>;
  policies(fmspc: string): MaybePromise<readonly StoredPolicy[]>;
  registrations(states: readonly RegistrationState[], limit: number): MaybePromise<readonly StoredRegistration[]>;

  /** Platforms in the order of their keys, at most `limit`, those after `after`; of the given FMSPCs, or of all. */
  platforms(
    fmspcs: readonly string[] | undefined,
    after: PlatformKey | undefined,
    limit: number,
  ): MaybePromise<readonly StoredPlatform[]>;
  /** The raw TCBs seen of a platform. */
  rawTcbs(key: PlatformKey): MaybePromise<readonly (RawTcbKey & { readonly tcbm: string })[]>;
  /** What there is of each kind of document: for refresh, export and metrics. */
  tcbInfoKeys(): MaybePromise<readonly TcbInfoKey[]>;
  identityKeys(): MaybePromise<readonly IdentityKey[]>;
  crlUrls(): MaybePromise<readonly string[]>;
  counts(): MaybePromise<{ readonly platforms: number; readonly certificates: number }>;

  /**
   * Writes all changes in one transaction; resolved means durable. A CRL or JSON document that was issued before the one
   * there is leaves that one. Fails with CollateralError STORE_*, and nothing is written.
   */
  write(changes: readonly StoreChange[]): Promise<void>;
  /** {@link write} of what another thread has put together. Only where a thread of the store's own writes. */
  writePacked?(changes: PackedChanges): Promise<void>;
  /**
   * Hands over what waits to be registered and marks it deleted, in one transaction: nobody gets it twice. In the order of
   * their keys, of each state as many as have together at most `maximumBytes`; the others wait for the next call.
   */
  takeRegistrations(
    states: readonly RegistrationState[],
    maximumBytes?: number,
  ): Promise<readonly StoredRegistration[]>;

  /** Exclusive work on a key among all processes of this database. */
  readonly leases: Leases;
  /** Called after every commit, of this process or (PostgreSQL) of another. Returns what ends the subscription. */
  onChange(listener: ChangeListener): () => void;

  /** A consistent copy of the database in a new file. SQLite only; PostgreSQL has its own means: fails with STORE_IO. */
  backup(path: string): Promise<void>;
  /** Rejects when reads or writes would fail now: readiness. */
  ping(): Promise<void>;
  /** Waits for writes under way. */
  close(): Promise<void>;
}

export interface Leases {
  /** True: the key is this process's for `ttlMs`. A dead owner's lease can be taken once its time is over, at the latest. */
  acquire(key: string, ttlMs: number): Promise<boolean>;
  release(key: string): Promise<void>;
  /** Resolves when the key's lease may be free: released, timed out, or after `timeoutMs` at the latest. */
  released(key: string, timeoutMs: number, signal: AbortSignal): Promise<void>;
}
