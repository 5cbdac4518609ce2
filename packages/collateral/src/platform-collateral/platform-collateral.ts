import type { ApiVersion, CertificationCa, IdentityName, TcbUpdate, Tee } from "../request.ts";
import type { PlatformKey } from "../store/store.ts";

/** What `PUT /platformcollateral` carries (spec: DCAP §12), decoded: hexadecimal in upper case, chains and certificates as PEM. */
export interface PlatformCollateral {
  /** 3 or 4: which API the documents came from. */
  readonly version: ApiVersion;
  readonly platforms: readonly CollateralPlatform[];
  readonly certificates: readonly PlatformCertificates[];
  readonly tcbInfos: readonly CollateralTcbInfo[];
  readonly identities: readonly CollateralIdentity[];
  readonly pckCrls: Readonly<Partial<Record<CertificationCa, Uint8Array>>>;
  readonly pckChains: Readonly<Partial<Record<CertificationCa, string>>>;
  readonly tcbInfoChain: string | undefined;
  readonly identityChain: string | undefined;
  readonly rootCaCrl: Uint8Array | undefined;
  /** The root CRL's distribution point. */
  readonly rootCaCrlUrl: string | undefined;
}

export interface CollateralPlatform extends PlatformKey {
  /** 32 digits, or empty: the platform is known, this raw TCB is not. */
  readonly cpuSvn: string;
  /** 4 digits, or empty. */
  readonly pceSvn: string;
  /** 768 digits, or empty. */
  readonly encryptedPpid: string;
  readonly platformManifest: string;
}

export interface PlatformCertificates extends PlatformKey {
  readonly certificates: readonly {
    /** 36 digits. */
    readonly tcbm: string;
    /** PEM leaf. */
    readonly certificate: string;
  }[];
}

export interface CollateralTcbInfo {
  readonly fmspc: string;
  readonly tee: Tee;
  readonly update: TcbUpdate;
  /** The signed text, byte for byte. */
  readonly body: string;
}

export interface CollateralIdentity {
  readonly id: IdentityName;
  readonly update: TcbUpdate;
  readonly body: string;
}

/** The form is wrong (400), or a chain, CRL or signature does not hold (460). */
export class PlatformCollateralRefusal extends Error {
  readonly status: 400 | 460;

  constructor(status: 400 | 460, reason: string, options?: { readonly cause?: unknown }) {
    super(reason, options);
    this.name = "PlatformCollateralRefusal";
    this.status = status;
  }
}
