import type { CertificationCa, PckCertificateRequest, TcbUpdate, Tee } from "../request.ts";

/**
 * The URLs that Intel's provider (QCNL) builds, character for character (spec: DCAP §13): hexadecimal in upper case,
 * PCESVN and PCEID as their little-endian bytes, the distribution point of /crl not escaped. `base` ends in "/".
 */

export type PccsApiVersion = "3.0" | "3.1";

const NO_ENCRYPTED_PPID = "0".repeat(768);

/** Query parameters as a configuration file names them, in its order, as they are. */
export type QueryParameters = Readonly<Record<string, string>>;

export interface QcnlCertificateOptions {
  /** `custom_request_options.get_cert.params`. */
  readonly parameters?: QueryParameters;
}

export function qcnlPckCertificateUrl(
  base: string,
  request: Omit<PckCertificateRequest, "kind">,
  { parameters = {} }: QcnlCertificateOptions = {},
): string {
  const query = [
    `qeid=${request.qeId}`,
    `encrypted_ppid=${request.encryptedPpid ?? NO_ENCRYPTED_PPID}`,
    `cpusvn=${request.cpuSvn}`,
    `pcesvn=${request.pceSvn}`,
    `pceid=${request.pceId}`,
    ...Object.entries(parameters).map(([name, value]) => `${name}=${value}`),
  ];
  return `${base}pckcert?${query.join("&")}`;
}

/** `customParameter` is base64; +, / and = are escaped. Undefined or empty: nothing is added. */
function withCustom(url: string, customParameter: string | undefined): string {
  if (customParameter === undefined || customParameter === "") return url;
  const escaped = customParameter.replaceAll("+", "%2B").replaceAll("/", "%2F").replaceAll("=", "%3D");
  return `${url}${url.includes("?") ? "&" : "?"}customParameter=${escaped}`;
}

/** `der`: from the PCS itself and from a PCCS of API version 3.1; else hexadecimal comes back. */
export function qcnlPckCrlUrl(base: string, ca: CertificationCa, der: boolean, customParameter?: string): string {
  return withCustom(`${base}pckcrl?ca=${ca}${der ? "&encoding=der" : ""}`, customParameter);
}

/** The base of the other TEE: the first "/sgx/" becomes "/tdx/". A base without one has no TDX; undefined. */
export function qcnlTeeBase(base: string, tee: Tee): string | undefined {
  if (tee === "sgx") return base;
  return base.includes("/sgx/") ? base.replace("/sgx/", "/tdx/") : undefined;
}

export function qcnlTcbInfoUrl(base: string, fmspc: string, update: TcbUpdate, customParameter?: string): string {
  return withCustom(`${base}tcb?fmspc=${fmspc}&update=${update}`, customParameter);
}

export function qcnlIdentityUrl(
  base: string,
  enclave: "qe" | "qve",
  update: TcbUpdate,
  customParameter?: string,
): string {
  return withCustom(`${base}${enclave}/identity?update=${update}`, customParameter);
}

/** Hexadecimal comes back: the PCCS's API version 3.0. */
export function qcnlRootCaCrlUrl(base: string, customParameter?: string): string {
  return withCustom(`${base}rootcacrl`, customParameter);
}

/**
 * DER comes back: the PCCS's API version 3.1. QCNL asks for the root CA's CRL only and escapes nothing; a distribution
 * point with characters that would end it is escaped here.
 */
export function qcnlCrlUrl(base: string, distributionPoint: string, customParameter?: string): string {
  const plain = /^[A-Za-z0-9:/._-]+$/.test(distributionPoint);
  return withCustom(
    `${base}crl?uri=${plain ? distributionPoint : encodeURIComponent(distributionPoint)}`,
    customParameter,
  );
}

export function qcnlAppraisalPolicyUrl(base: string, fmspc: string, customParameter?: string): string {
  return withCustom(`${base}appraisalpolicy?fmspc=${fmspc}`, customParameter);
}

/** QCNL takes a collateral service for Intel's PCS when its URL contains this. */
export function isIntelPcs(url: string): boolean {
  return url.includes("trustedservices.intel.com");
}
