import type { ApiVersion, CertificationCa, PckCertificateRequest, TcbUpdate, Tee } from "../request.ts";

/** URLs of Intel's provisioning service as its API describes them. `base` ends in "/". */

export const INTEL_ROOT_CA_CRL_URL = "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der";

/** The base of one TEE and API version: what its path says of either is replaced. Undefined: the base has no such place. */
export function serviceBase(base: string, tee: Tee, version: ApiVersion): string | undefined {
  const named = /^(.*\/)(sgx|tdx)(\/certification\/v)[34](\/)$/.exec(base);
  if (named === null) return tee === "sgx" ? base : undefined;
  return `${named[1]}${tee}${named[3]}${version}${named[4]}`;
}

export function pcsPckCertificateUrl(base: string, request: Omit<PckCertificateRequest, "kind" | "qeId">): string {
  const { encryptedPpid = "", cpuSvn, pceSvn, pceId } = request;
  return `${base}pckcert?encrypted_ppid=${encryptedPpid}&cpusvn=${cpuSvn}&pcesvn=${pceSvn}&pceid=${pceId}`;
}

/** Without an encrypted PPID: where a platform manifest is posted to. */
export function pcsPckCertificatesUrl(base: string, encryptedPpid?: string, pceId?: string): string {
  if (encryptedPpid === undefined) return `${base}pckcerts`;
  return `${base}pckcerts?encrypted_ppid=${encryptedPpid}&pceid=${pceId ?? ""}`;
}

export function pcsPckCrlUrl(base: string, ca: CertificationCa): string {
  return `${base}pckcrl?ca=${ca}&encoding=der`;
}

export function pcsTcbInfoUrl(base: string, fmspc: string, update: TcbUpdate): string {
  return `${base}tcb?fmspc=${fmspc}&update=${update}`;
}

export function pcsIdentityUrl(base: string, enclave: "qe" | "qve", update: TcbUpdate): string {
  return `${base}${enclave}/identity?update=${update}`;
}
