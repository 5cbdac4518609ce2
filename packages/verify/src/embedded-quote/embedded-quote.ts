import { bytesEqual } from "@confcom/sgx";
import { oidFromText } from "@confcom/sgx/der";
import { VerifyError } from "../errors.ts";
import { readConceptualMessage } from "./conceptual-message.ts";
import { type Evidence, EvidenceError, type KeyReference } from "./evidence.ts";
import { readOpenEnclaveEvidence, readOpenEnclaveReport } from "./open-enclave.ts";
import { readSubjectCertificate, type SubjectCertificate, startsAsDer } from "./subject-certificate.ts";

interface Scheme {
  readonly oid: string;
  readonly name: string;
  readonly read: (value: Uint8Array) => Evidence;
}

function rawQuote(value: Uint8Array): Evidence {
  return { format: "a bare quote", quote: value, keyReference: { kind: "public-key" } };
}

/**
 * The extensions that carry quotes, in the order of preference where a certificate has several: gramine writes the same
 * key under two.
 */
export const EMBEDDED_QUOTE_SCHEMES = [
  { oid: "2.23.133.5.4.9", name: "TCG DICE conceptual message wrapper", read: readConceptualMessage },
  { oid: "1.3.6.1.5.5.7.1.35", name: "PKIX conceptual message wrapper", read: readConceptualMessage },
  { oid: "1.2.840.113741.1337.6", name: "gramine RA-TLS quote", read: rawQuote },
  { oid: "1.3.6.1.4.1.311.105.2", name: "Open Enclave evidence", read: readOpenEnclaveEvidence },
  { oid: "1.2.840.113556.10.1.2", name: "Open Enclave evidence (old identifier)", read: readOpenEnclaveEvidence },
  { oid: "1.3.6.1.4.1.311.105.1", name: "Open Enclave report", read: readOpenEnclaveReport },
  { oid: "1.2.840.113556.10.1.1", name: "Open Enclave report (old identifier)", read: readOpenEnclaveReport },
] as const satisfies readonly Scheme[];

const SCHEMES = EMBEDDED_QUOTE_SCHEMES.map((scheme) => ({ scheme, oid: oidFromText(scheme.oid) }));

/** A quote that a certificate carries, and how it names the certificate's key. */
export interface EmbeddedQuote {
  /** The extension, by its identifier and in words. */
  readonly oid: string;
  readonly scheme: string;
  readonly format: string;
  readonly quote: Uint8Array;
  readonly keyReference: KeyReference;
  readonly certificate: SubjectCertificate;
  /** Identifiers of other extensions with quotes, which were not looked at. */
  readonly others: readonly string[];
}

/**
 * Takes the quote out of a certificate, DER or PEM (the first one of a chain): Open Enclave's, gramine's RA-TLS, TCG
 * DICE evidence. Nothing is verified. Throws VerifyError `CERTIFICATE` if it is no certificate, `EMBEDDED_QUOTE` if it
 * carries no quote or a damaged extension.
 */
export function readEmbeddedQuote(bytes: Uint8Array): EmbeddedQuote {
  const certificate = readSubjectCertificate(bytes);
  const found = SCHEMES.flatMap(({ scheme, oid }) => {
    const extension = certificate.extensions.find((one) => bytesEqual(one.oid, oid));
    return extension === undefined ? [] : [{ scheme, value: extension.value }];
  });
  const [first, ...others] = found;
  if (first === undefined) {
    throw new VerifyError("EMBEDDED_QUOTE", "the certificate carries no quote in any known extension");
  }
  const { scheme, value } = first;
  try {
    const { oid, name } = scheme;
    return { oid, scheme: name, ...scheme.read(value), certificate, others: others.map((one) => one.scheme.oid) };
  } catch (error) {
    if (!(error instanceof EvidenceError)) throw error;
    const detail = `the extension ${scheme.oid} (${scheme.name}) holds no quote: ${error.message}`;
    throw new VerifyError("EMBEDDED_QUOTE", detail, { cause: error });
  }
}

/**
 * Whether the bytes are to be read as a certificate: they start as DER, or as text up to a certificate's PEM. A quote does
 * neither, though it has PEM further on.
 */
export function looksLikeCertificate(bytes: Uint8Array): boolean {
  if (startsAsDer(bytes)) return true;
  const start = new TextDecoder("latin1").decode(bytes.subarray(0, 65536));
  const marker = start.indexOf("-----BEGIN CERTIFICATE-----");
  return marker >= 0 && /^[\t\n\r\x20-\x7e]*$/.test(start.slice(0, marker));
}
