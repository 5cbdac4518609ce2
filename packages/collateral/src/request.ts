/** What collateral is asked for. Hexadecimal is upper case, as the reference cache stores it (spec: DCAP §12). */

export type Tee = "sgx" | "tdx";
export type CertificationCa = "processor" | "platform";
/** Which of two TCB evaluations: `early` is served from the day of disclosure (spec: DCAP §9). */
export type TcbUpdate = "standard" | "early";
/** Version of the provisioning service's API: decides TCB info's version (3: 2, 4: 3) and header names. */
export type ApiVersion = 3 | 4;
export type IdentityName = "QE" | "TD_QE" | "QVE";

export interface PckCertificateRequest {
  readonly kind: "pck-certificate";
  /** Up to 260 hexadecimal characters. */
  readonly qeId: string;
  /** 32 hexadecimal digits: the raw CPUSVN. */
  readonly cpuSvn: string;
  /** 4 hexadecimal digits, bytes in little-endian order. */
  readonly pceSvn: string;
  /** 4 hexadecimal digits, bytes in little-endian order. */
  readonly pceId: string;
  /** 768 hexadecimal digits; left out or all zero when it is not known. */
  readonly encryptedPpid?: string;
}

export interface PckCrlRequest {
  readonly kind: "pck-crl";
  readonly ca: CertificationCa;
}

export interface TcbInfoRequest {
  readonly kind: "tcb-info";
  readonly tee: Tee;
  /** 12 hexadecimal digits. */
  readonly fmspc: string;
  readonly update: TcbUpdate;
  readonly version: ApiVersion;
}

export interface IdentityRequest {
  readonly kind: "identity";
  readonly id: IdentityName;
  readonly update: TcbUpdate;
  readonly version: ApiVersion;
}

/** The root CA's CRL. `url`, if given, is the distribution point that a certificate of the chain names. */
export interface RootCaCrlRequest {
  readonly kind: "root-ca-crl";
  readonly url?: string;
}

/** A CRL by its distribution point. */
export interface CrlRequest {
  readonly kind: "crl";
  readonly url: string;
}

export type CollateralRequest =
  | PckCertificateRequest
  | PckCrlRequest
  | TcbInfoRequest
  | IdentityRequest
  | RootCaCrlRequest
  | CrlRequest;

/** One text per request that has one answer: what caches, single flights and leases go by. The encrypted PPID is no part of it. */
export function requestKey(request: CollateralRequest): string {
  switch (request.kind) {
    case "pck-certificate":
      return `pck-certificate/${request.qeId}/${request.pceId}/${request.cpuSvn}/${request.pceSvn}`;
    case "pck-crl":
      return `pck-crl/${request.ca}`;
    case "tcb-info":
      return `tcb-info/${request.tee}/${request.fmspc}/${request.update}/v${request.version}`;
    case "identity":
      return `identity/${request.id}/${request.update}/v${request.version}`;
    case "root-ca-crl":
      return "root-ca-crl";
    case "crl":
      return `crl/${request.url}`;
  }
}
