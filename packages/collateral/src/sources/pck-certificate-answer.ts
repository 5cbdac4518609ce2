import type { PckCertificateAnswer } from "../answer.ts";
import { type HttpAnswer, maxAgeMs } from "../http/index.ts";
import type { CertificationCa, PckCertificateRequest } from "../request.ts";
import type { Fetched } from "../source.ts";
import { jsonObject, utf8Text } from "./json-answer.ts";
import { pckLeafFacts } from "./pck-leaf.ts";
import { issuerChainPem, leafPem } from "./pem-answer.ts";
import { unusable } from "./unusable.ts";

interface Parts {
  readonly certificate: string;
  readonly issuerChain: string | undefined;
  readonly tcbm: string | undefined;
  readonly fmspc?: string | undefined;
  readonly ca?: string | undefined;
  readonly maxAgeMs: number | undefined;
}

/** A member by its name in any case: Azure and its documentation write them differently. */
function textMember(object: Readonly<Record<string, unknown>>, name: string): string | undefined {
  for (const [key, value] of Object.entries(object)) {
    if (key.toLowerCase() !== name) continue;
    if (typeof value === "string") return value;
    return typeof value === "number" ? String(value) : undefined;
  }
  return undefined;
}

/** Azure's form: one JSON object instead of headers (spec: DCAP §13, §14). */
function partsOfJson(text: string, answer: HttpAnswer, source: string): Parts {
  const object = jsonObject(text, source, "the PCK certificate");
  const certificate = textMember(object, "pckcert");
  if (certificate === undefined) throw unusable(source, "the PCK certificate", "is missing: the JSON has no pckCert");
  const seconds = textMember(object, "cachemaxage");
  return {
    certificate,
    issuerChain: textMember(object, "sgx-pck-certificate-issuer-chain"),
    tcbm: textMember(object, "sgx-tcbm"),
    maxAgeMs: maxAgeMs(seconds === undefined ? answer.headers["cache-control"] : `max-age=${seconds}`),
  };
}

function partsOfHeaders(text: string, { headers }: HttpAnswer): Parts {
  return {
    certificate: text,
    issuerChain: headers["sgx-pck-certificate-issuer-chain"],
    tcbm: headers["sgx-tcbm"],
    fmspc: headers["sgx-fmspc"],
    ca: headers["sgx-pck-certificate-ca-type"],
    maxAgeMs: maxAgeMs(headers["cache-control"]),
  };
}

function caOf(value: string | undefined): CertificationCa | undefined {
  const name = value?.toLowerCase();
  return name === "processor" || name === "platform" ? name : undefined;
}

/**
 * TCBm with its PCESVN in little-endian bytes. Azure's is documented the other way round, and not always is; the
 * certificate itself knows its PCESVN, so whichever order agrees with it is the one.
 */
function littleEndianTcbm(given: string | undefined, ofLeaf: string, source: string): string {
  if (given === undefined) return ofLeaf;
  if (!/^[0-9A-Fa-f]{36}$/.test(given)) throw unusable(source, "SGX-TCBm", "is not 36 hexadecimal digits");
  const tcbm = given.toUpperCase();
  const swapped = tcbm.slice(0, 32) + tcbm.slice(34) + tcbm.slice(32, 34);
  return tcbm.slice(32) !== ofLeaf.slice(32) && swapped.slice(32) === ofLeaf.slice(32) ? swapped : tcbm;
}

/**
 * Reads the answer to a request for one PCK certificate, from PCS, PCCS (PEM and headers) or Azure (JSON). What a service
 * leaves out is read from the certificate. Fails with SOURCE_ANSWER.
 */
export function pckCertificateAnswer(answer: HttpAnswer, source: string): Fetched<PckCertificateRequest> {
  const text = utf8Text(answer.body, source, "the PCK certificate");
  const parts = text.trimStart().startsWith("{") ? partsOfJson(text, answer, source) : partsOfHeaders(text, answer);
  const certificate = leafPem(parts.certificate, source, "the PCK certificate");
  const issuerChain = issuerChainPem(parts.issuerChain, source, "SGX-PCK-Certificate-Issuer-Chain");
  const leaf = pckLeafFacts(certificate, source);
  const fmspc = parts.fmspc?.toUpperCase() ?? leaf.fmspc;
  if (!/^[0-9A-F]{12}$/.test(fmspc)) throw unusable(source, "SGX-FMSPC", "is not 12 hexadecimal digits");
  const fetched: PckCertificateAnswer = {
    kind: "pck-certificate",
    certificate,
    issuerChain,
    tcbm: littleEndianTcbm(parts.tcbm, leaf.tcbm, source),
    fmspc,
    ca: caOf(parts.ca) ?? leaf.ca,
  };
  return { answer: fetched, ...(parts.maxAgeMs === undefined ? {} : { maxAgeMs: parts.maxAgeMs }) };
}
