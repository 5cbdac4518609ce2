import type { CollateralRequest } from "../../request.ts";

/**
 * Every URL that Intel's provider (QCNL) and Microsoft's az-dcap-client build, as exact text below the service's origin
 * (spec: DCAP §13, §14; the letter case of hexadecimal and the order of parameters as in their public sources), and what
 * a PCCS makes of it. For the tests of the builders here, and of the service.
 */
export interface GoldenRequest {
  readonly client: "qcnl" | "az-dcap-client";
  /** What it is, as a fact. */
  readonly name: string;
  /** Path and query, e.g. "/sgx/certification/v4/rootcacrl". */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** What is asked for, if a PCCS understands it. */
  readonly asks?: CollateralRequest;
  /** What the reference PCCS answers, provided that it has what is asked for; 200 unless said otherwise. */
  readonly status: 200 | 400 | 404;
  /** How the body of a 200 is written. */
  readonly encoding?: "pem" | "json" | "hex" | "der";
  /** Headers that a 200 must have. */
  readonly answerHeaders?: readonly string[];
}

export const GOLDEN_QE_ID = "1A2B3C4D5E6F708192A3B4C5D6E7F809";
export const GOLDEN_CPU_SVN = "0B0B100FFFFF01000000000000000000";
/** 13, in little-endian bytes. */
export const GOLDEN_PCE_SVN = "0D00";
export const GOLDEN_PCE_ID = "0000";
export const GOLDEN_FMSPC = "00906ED50000";
export const GOLDEN_ENCRYPTED_PPID = "C5".repeat(384);
export const GOLDEN_CUSTOM_PARAMETER = "YWJj+/8=";
const NO_PPID = "0".repeat(768);
const ROOT = "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der";

const certificate = {
  kind: "pck-certificate",
  qeId: GOLDEN_QE_ID,
  cpuSvn: GOLDEN_CPU_SVN,
  pceSvn: GOLDEN_PCE_SVN,
  pceId: GOLDEN_PCE_ID,
} as const;
const CERTIFICATE_HEADERS = [
  "SGX-TCBm",
  "SGX-FMSPC",
  "SGX-PCK-Certificate-CA-Type",
  "SGX-PCK-Certificate-Issuer-Chain",
] as const;
const IDENTITY_HEADERS = ["SGX-Enclave-Identity-Issuer-Chain"] as const;
const CRL_HEADERS = ["SGX-PCK-CRL-Issuer-Chain"] as const;

const SGX = "/sgx/certification/v4/";
const TDX = "/tdx/certification/v4/";
const SVNS = `cpusvn=${GOLDEN_CPU_SVN}&pcesvn=${GOLDEN_PCE_SVN}&pceid=${GOLDEN_PCE_ID}`;

function tcbInfo(tee: "sgx" | "tdx", update: "standard" | "early", version: 3 | 4): CollateralRequest {
  return { kind: "tcb-info", tee, fmspc: GOLDEN_FMSPC, update, version };
}

function identity(id: "QE" | "TD_QE" | "QVE", update: "standard" | "early", version: 3 | 4): CollateralRequest {
  return { kind: "identity", id, update, version };
}

const pck = { status: 200, encoding: "pem", answerHeaders: CERTIFICATE_HEADERS } as const;
const tcb = { status: 200, encoding: "json", answerHeaders: ["TCB-Info-Issuer-Chain"] } as const;
const tcb3 = { status: 200, encoding: "json", answerHeaders: ["SGX-TCB-Info-Issuer-Chain"] } as const;
const id = { status: 200, encoding: "json", answerHeaders: IDENTITY_HEADERS } as const;

export const QCNL_GOLDEN_REQUESTS: readonly GoldenRequest[] = [
  {
    client: "qcnl",
    name: "PCK certificate with the encrypted PPID",
    path: `${SGX}pckcert?qeid=${GOLDEN_QE_ID}&encrypted_ppid=${GOLDEN_ENCRYPTED_PPID}&${SVNS}`,
    asks: { ...certificate, encryptedPpid: GOLDEN_ENCRYPTED_PPID },
    ...pck,
  },
  {
    client: "qcnl",
    name: "PCK certificate without one: 768 zeros",
    path: `${SGX}pckcert?qeid=${GOLDEN_QE_ID}&encrypted_ppid=${NO_PPID}&${SVNS}`,
    asks: { ...certificate, encryptedPpid: NO_PPID },
    ...pck,
  },
  {
    client: "qcnl",
    name: "PCK certificate with custom header and parameter, as in the Azure profile",
    path: `${SGX}pckcert?qeid=${GOLDEN_QE_ID}&encrypted_ppid=${NO_PPID}&${SVNS}&api-version=2021-07-22-preview`,
    headers: { metadata: "true" },
    asks: { ...certificate, encryptedPpid: NO_PPID },
    ...pck,
  },
  {
    client: "qcnl",
    name: "PCK certificate from version 3",
    path: `/sgx/certification/v3/pckcert?qeid=${GOLDEN_QE_ID}&encrypted_ppid=${NO_PPID}&${SVNS}`,
    asks: { ...certificate, encryptedPpid: NO_PPID },
    ...pck,
  },
  ...(["processor", "platform"] as const).flatMap((ca): readonly GoldenRequest[] => [
    {
      client: "qcnl",
      name: `CRL of the ${ca} CA, API version 3.0: hexadecimal`,
      path: `${SGX}pckcrl?ca=${ca}`,
      asks: { kind: "pck-crl", ca },
      status: 200,
      encoding: "hex",
      answerHeaders: CRL_HEADERS,
    },
    {
      client: "qcnl",
      name: `CRL of the ${ca} CA, API version 3.1: DER`,
      path: `${SGX}pckcrl?ca=${ca}&encoding=der`,
      asks: { kind: "pck-crl", ca },
      status: 200,
      encoding: "der",
      answerHeaders: CRL_HEADERS,
    },
  ]),
  {
    client: "qcnl",
    name: "CRL with a custom parameter",
    path: `${SGX}pckcrl?ca=platform&encoding=der&customParameter=YWJj%2B%2F8%3D`,
    asks: { kind: "pck-crl", ca: "platform" },
    status: 200,
    encoding: "der",
    answerHeaders: CRL_HEADERS,
  },
  ...(["standard", "early"] as const).flatMap((update): readonly GoldenRequest[] => [
    {
      client: "qcnl",
      name: `TCB info of SGX, ${update}`,
      path: `${SGX}tcb?fmspc=${GOLDEN_FMSPC}&update=${update}`,
      asks: tcbInfo("sgx", update, 4),
      ...tcb,
    },
    {
      client: "qcnl",
      name: `TCB info of TDX, ${update}`,
      path: `${TDX}tcb?fmspc=${GOLDEN_FMSPC}&update=${update}`,
      asks: tcbInfo("tdx", update, 4),
      ...tcb,
    },
    {
      client: "qcnl",
      name: `identity of the QE, ${update}`,
      path: `${SGX}qe/identity?update=${update}`,
      asks: identity("QE", update, 4),
      ...id,
    },
    {
      client: "qcnl",
      name: `identity of the TD QE, ${update}`,
      path: `${TDX}qe/identity?update=${update}`,
      asks: identity("TD_QE", update, 4),
      ...id,
    },
    {
      client: "qcnl",
      name: `identity of the QvE, ${update}`,
      path: `${SGX}qve/identity?update=${update}`,
      asks: identity("QVE", update, 4),
      ...id,
    },
  ]),
  {
    client: "qcnl",
    name: "TCB info with a custom parameter",
    path: `${SGX}tcb?fmspc=${GOLDEN_FMSPC}&update=standard&customParameter=YWJj%2B%2F8%3D`,
    asks: tcbInfo("sgx", "standard", 4),
    ...tcb,
  },
  {
    client: "qcnl",
    name: "TCB info from version 3",
    path: `/sgx/certification/v3/tcb?fmspc=${GOLDEN_FMSPC}&update=standard`,
    asks: tcbInfo("sgx", "standard", 3),
    ...tcb3,
  },
  {
    client: "qcnl",
    name: "TCB info as older versions ask for it, without update",
    path: `/sgx/certification/v3/tcb?fmspc=${GOLDEN_FMSPC}`,
    asks: tcbInfo("sgx", "standard", 3),
    ...tcb3,
  },
  {
    client: "qcnl",
    name: "identity of the QE as older versions ask for it, without update",
    path: "/sgx/certification/v3/qe/identity",
    asks: identity("QE", "standard", 3),
    ...id,
  },
  {
    client: "qcnl",
    name: "identity of the QE with a custom parameter",
    path: `${SGX}qe/identity?update=standard&customParameter=YWJj%2B%2F8%3D`,
    asks: identity("QE", "standard", 4),
    ...id,
  },
  {
    client: "qcnl",
    name: "CRL of the root CA, API version 3.0: hexadecimal",
    path: `${SGX}rootcacrl`,
    asks: { kind: "root-ca-crl" },
    status: 200,
    encoding: "hex",
  },
  {
    client: "qcnl",
    name: "CRL of the root CA with a custom parameter",
    path: `${SGX}rootcacrl?customParameter=YWJj%2B%2F8%3D`,
    asks: { kind: "root-ca-crl" },
    status: 200,
    encoding: "hex",
  },
  {
    client: "qcnl",
    name: "CRL of the root CA, API version 3.1: DER, its distribution point not escaped",
    path: `${SGX}crl?uri=${ROOT}`,
    asks: { kind: "crl", url: ROOT },
    status: 200,
    encoding: "der",
  },
];

const LOWER = {
  qeId: GOLDEN_QE_ID.toLowerCase(),
  cpuSvn: GOLDEN_CPU_SVN.toLowerCase(),
  fmspc: GOLDEN_FMSPC.toLowerCase(),
};
const AZ_CLIENT = "clientid=production_client";
const AZ_DOCUMENT = `${AZ_CLIENT}&api-version=2018-10-01-preview`;
const AZ_CRL = `${AZ_CLIENT}&api-version=2020-02-12-preview`;
const AZ_CERTIFICATE = `${AZ_CLIENT}&api-version=2021-07-22-preview`;

export const AZ_DCAP_GOLDEN_REQUESTS: readonly GoldenRequest[] = [
  {
    client: "az-dcap-client",
    name: "PCK certificate, SVNs as x86-64 writes them: little-endian",
    path: `${SGX}pckcert?qeid=${LOWER.qeId}&cpusvn=${LOWER.cpuSvn}&pcesvn=0d00&pceid=0000&encrypted_ppid=${GOLDEN_ENCRYPTED_PPID.toLowerCase()}&${AZ_CERTIFICATE}`,
    headers: { metadata: "true" },
    asks: { ...certificate, encryptedPpid: GOLDEN_ENCRYPTED_PPID },
    ...pck,
  },
  {
    client: "az-dcap-client",
    name: "PCK certificate, SVNs as the source means them: big-endian, which to a PCCS is PCESVN 3328",
    path: `${SGX}pckcert?qeid=${LOWER.qeId}&cpusvn=${LOWER.cpuSvn}&pcesvn=000d&pceid=0000&encrypted_ppid=${GOLDEN_ENCRYPTED_PPID.toLowerCase()}&${AZ_CERTIFICATE}`,
    headers: { metadata: "true" },
    asks: { ...certificate, pceSvn: "000D", encryptedPpid: GOLDEN_ENCRYPTED_PPID },
    ...pck,
  },
  {
    client: "az-dcap-client",
    name: "PCK certificate without encrypted PPID (AZDCAP_DISABLE_ONDEMAND)",
    path: `${SGX}pckcert?qeid=${LOWER.qeId}&cpusvn=${LOWER.cpuSvn}&pcesvn=0d00&pceid=0000&${AZ_CERTIFICATE}`,
    headers: { "content-type": "application/json" },
    asks: certificate,
    ...pck,
  },
  {
    client: "az-dcap-client",
    name: "TCB info",
    path: `${SGX}tcb?fmspc=${LOWER.fmspc}&${AZ_DOCUMENT}`,
    asks: tcbInfo("sgx", "standard", 4),
    ...tcb,
  },
  {
    client: "az-dcap-client",
    name: "TCB info from version 3",
    path: `/sgx/certification/v3/tcb?fmspc=${LOWER.fmspc}&${AZ_DOCUMENT}`,
    asks: tcbInfo("sgx", "standard", 3),
    ...tcb3,
  },
  {
    client: "az-dcap-client",
    name: "TCB info with a custom parameter, not escaped",
    path: `${SGX}tcb?fmspc=${LOWER.fmspc}&customParameter=${GOLDEN_CUSTOM_PARAMETER}&${AZ_DOCUMENT}`,
    asks: tcbInfo("sgx", "standard", 4),
    ...tcb,
  },
  {
    client: "az-dcap-client",
    name: "TCB info of TDX",
    path: `${TDX}tcb?fmspc=${LOWER.fmspc}&${AZ_DOCUMENT}`,
    asks: tcbInfo("tdx", "standard", 4),
    ...tcb,
  },
  {
    client: "az-dcap-client",
    name: "identity of the QE",
    path: `${SGX}qe/identity?${AZ_DOCUMENT}`,
    asks: identity("QE", "standard", 4),
    ...id,
  },
  {
    client: "az-dcap-client",
    name: "identity of the QvE",
    path: `${SGX}qve/identity?${AZ_DOCUMENT}`,
    asks: identity("QVE", "standard", 4),
    ...id,
  },
  {
    client: "az-dcap-client",
    name: "identity of the TD QE",
    path: `${TDX}qe/identity?${AZ_DOCUMENT}`,
    asks: identity("TD_QE", "standard", 4),
    ...id,
  },
  {
    client: "az-dcap-client",
    name: "CRL of the platform CA for TDX: by its CA",
    path: `${SGX}pckcrl?ca=platform&${AZ_CLIENT}`,
    asks: { kind: "pck-crl", ca: "platform" },
    status: 200,
    encoding: "hex",
    answerHeaders: CRL_HEADERS,
  },
  {
    client: "az-dcap-client",
    name: "CRL of the root CA for TDX",
    path: `${SGX}rootcacrl?${AZ_CLIENT}`,
    asks: { kind: "root-ca-crl" },
    status: 200,
    encoding: "hex",
  },
  {
    client: "az-dcap-client",
    name: "CRL of the processor CA for SGX by its name, which a PCCS does not take: `ca` is missing",
    path: `${SGX}pckcrl?uri=https%253a%252f%252fcertificates.trustedservices.intel.com%252fintelsgxpckprocessor.crl&${AZ_CRL}`,
    status: 400,
  },
  {
    client: "az-dcap-client",
    name: "CRL of the platform CA for SGX by its name, which a PCCS does not take",
    path: `${SGX}pckcrl?uri=https%253a%252f%252fapi.trustedservices.intel.com%252fsgx%252fcertification%252fv3%252fpckcrl%253fca%253dplatform%2526encoding%253dpem&${AZ_CRL}`,
    status: 400,
  },
  {
    client: "az-dcap-client",
    name: "CRL of the root CA for SGX by its name, which a PCCS does not take",
    path: `${SGX}pckcrl?uri=https%253a%252f%252fcertificates.trustedservices.intel.com%252fintelsgxrootca.crl&${AZ_CRL}`,
    status: 400,
  },
  {
    client: "az-dcap-client",
    name: "identity of the QE as older versions name it",
    path: `/sgx/certification/v3/qeid?${AZ_DOCUMENT}`,
    status: 404,
  },
  {
    client: "az-dcap-client",
    name: "identity of the QvE as older versions name it",
    path: `/sgx/certification/v3/qveid?${AZ_DOCUMENT}`,
    status: 404,
  },
];

export const GOLDEN_REQUESTS: readonly GoldenRequest[] = [...QCNL_GOLDEN_REQUESTS, ...AZ_DCAP_GOLDEN_REQUESTS];

/**
 * What our service answers. It knowingly does other than the reference for az-dcap-client, which reads certificates as JSON,
 * names CRLs by URL, and takes no CRL without an issuer chain and no document without Cache-Control.
 */
export function servedGolden(golden: GoldenRequest): Pick<GoldenRequest, "status" | "encoding" | "answerHeaders"> {
  const { client, path, status, encoding, answerHeaders = [] } = golden;
  if (client !== "az-dcap-client") return golden;
  if (path.includes("/pckcert?"))
    return { status, encoding: "json", answerHeaders: [...answerHeaders, "Cache-Control"] };
  if (path.includes("/pckcrl?uri=")) {
    return { status: 200, encoding: "pem", answerHeaders: [...CRL_HEADERS, "Cache-Control"] };
  }
  if (status !== 200) return golden;
  const chain = path.includes("/rootcacrl?") ? CRL_HEADERS : answerHeaders;
  return { status, ...(encoding === undefined ? {} : { encoding }), answerHeaders: [...chain, "Cache-Control"] };
}
