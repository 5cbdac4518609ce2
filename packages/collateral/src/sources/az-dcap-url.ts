import type { CertificationCa, PckCertificateRequest } from "../request.ts";

/**
 * The URLs that Microsoft's az-dcap-client builds (spec: DCAP §14): hexadecimal in lower case, the version below the base,
 * api-version at the end. `base` may end in "/" or not.
 */

export type AzureVersion = "v2" | "v3" | "v4";

/** AZDCAP_CLIENT_ID where it is not set. */
export const AZURE_CLIENT_ID = "production_client";

export interface AzureQuery {
  readonly version: AzureVersion;
  /** AZDCAP_CLIENT_ID; empty: left out. */
  readonly clientId: string;
}

/**
 * How PCESVN and PCEID are written. The client's source means big-endian, but its test for the machine's byte order looks
 * at the wrong byte, so that on x86-64 the little-endian bytes are what is on the wire (spec: DCAP §16.3).
 */
export type SvnByteOrder = "little" | "big";

const API_VERSION = {
  certificate: "api-version=2021-07-22-preview",
  document: "api-version=2018-10-01-preview",
  crl: "api-version=2020-02-12-preview",
} as const;

/** The names of the CRLs, escaped once; in the URL they are escaped again. */
const CRL_NAMES = {
  root: "https%3a%2f%2fcertificates.trustedservices.intel.com%2fintelsgxrootca.crl",
  processor: "https%3a%2f%2fcertificates.trustedservices.intel.com%2fintelsgxpckprocessor.crl",
  platform:
    "https%3a%2f%2fapi.trustedservices.intel.com%2fsgx%2fcertification%2fv3%2fpckcrl%3fca%3dplatform%26encoding%3dpem",
} as const;

function below(base: string, version: AzureVersion, path: string): string {
  return `${base.endsWith("/") ? base.slice(0, -1) : base}/${version}/${path}`;
}

function client({ clientId }: AzureQuery): readonly string[] {
  return clientId === "" ? [] : [`clientid=${clientId}`];
}

function custom(customParameter: string | undefined): readonly string[] {
  return customParameter === undefined || customParameter === "" ? [] : [`customParameter=${customParameter}`];
}

function swapped(hex: string, order: SvnByteOrder): string {
  const text = hex.toLowerCase();
  return order === "little" ? text : text.slice(2, 4) + text.slice(0, 2);
}

/** `encrypted_ppid` is left out where the request has none (AZDCAP_DISABLE_ONDEMAND). */
export function azPckCertificateUrl(
  base: string,
  query: AzureQuery,
  request: Omit<PckCertificateRequest, "kind">,
  order: SvnByteOrder = "little",
): string {
  const { qeId, cpuSvn, pceSvn, pceId, encryptedPpid } = request;
  const parameters = [
    `qeid=${qeId.toLowerCase()}`,
    `cpusvn=${cpuSvn.toLowerCase()}`,
    `pcesvn=${swapped(pceSvn, order)}`,
    `pceid=${swapped(pceId, order)}`,
    ...(encryptedPpid === undefined ? [] : [`encrypted_ppid=${encryptedPpid.toLowerCase()}`]),
    ...client(query),
    API_VERSION.certificate,
  ];
  return below(base, query.version, `pckcert?${parameters.join("&")}`);
}

/** `customParameter`: base64, as it is. */
export function azTcbInfoUrl(base: string, query: AzureQuery, fmspc: string, customParameter?: string): string {
  const parameters = [
    `fmspc=${fmspc.toLowerCase()}`,
    ...custom(customParameter),
    ...client(query),
    API_VERSION.document,
  ];
  return below(base, query.version, `tcb?${parameters.join("&")}`);
}

export function azIdentityUrl(
  base: string,
  query: AzureQuery,
  enclave: "qe" | "qve",
  customParameter?: string,
): string {
  const parameters = [...custom(customParameter), ...client(query), API_VERSION.document];
  return below(base, query.version, `${enclave}/identity?${parameters.join("&")}`);
}

/** CRLs for SGX, the root CA's included, go by their names. PEM comes back. */
export function azSgxCrlUrl(base: string, query: AzureQuery, crl: CertificationCa | "root"): string {
  const parameters = [`uri=${encodeURIComponent(CRL_NAMES[crl])}`, ...client(query), API_VERSION.crl];
  return below(base, query.version, `pckcrl?${parameters.join("&")}`);
}

/** The TDX base of a region, e.g. "https://westeurope" and ".thim.azure.net/sgx/certification". */
export function azTdxBase(region: string, suffix: string): string {
  return `https://${region}${suffix}`;
}

/** TCB info and identity of TDX: below "/tdx/" instead of "/sgx/". */
export function azTdxDocumentBase(base: string): string {
  return base.replace("/sgx/", "/tdx/");
}

export function azTdxPckCrlUrl(base: string, query: AzureQuery, ca: CertificationCa): string {
  return below(base, query.version, `pckcrl?${[`ca=${ca}`, ...client(query)].join("&")}`);
}

export function azTdxRootCaCrlUrl(base: string, query: AzureQuery): string {
  const parameters = client(query).join("&");
  return below(base, query.version, `rootcacrl${parameters === "" ? "" : `?${parameters}`}`);
}
