import { bytesEqual, type DecodedPckExtension, decodePckExtension, SgxFormatError } from "@confcom/sgx";
import { type QvlStatus, Rejection } from "../status.ts";
import { type Certificate, MissingExtension, parseRelatedCertificate, sgxExtensionOf } from "./certificate.ts";
import type { Crl } from "./crl.ts";
import type { DistinguishedName } from "./name.ts";
import { decodePemCertificates } from "./pem.ts";

/** Roles are told by names, as the reference verifier does (spec: DCAP §8, §10 B). */
export const COMMON_NAME = {
  root: "SGX Root CA",
  intermediate: "CA",
  pck: "SGX PCK Certificate",
  tcbSigning: "SGX TCB Signing",
} as const;

export interface PckCertificate {
  readonly certificate: Certificate;
  readonly sgx: DecodedPckExtension;
}

/** Certificates of one PEM text, in any order, with the roles the reference verifier gives them. */
export interface CertificateChain {
  readonly certificates: readonly Certificate[];
  /** The last self-issued one. */
  readonly root: Certificate | undefined;
  /** The first one that is not self-issued and has "CA" in its common name. */
  readonly intermediate: Certificate | undefined;
  /** The last one that issued none of the others. */
  readonly topmost: Certificate | undefined;
  /** The last one named as a PCK certificate. */
  readonly pck: PckCertificate | undefined;
  /** What the chain was verified together with; all of it holds forever, unlike validity, which is checked every time. */
  verifiedWith?: { readonly rootCaCrl: Crl; readonly pckCrl: Crl; readonly trustedRoot: Certificate };
}

/** Reads the SGX extension of a certificate. Throws Rejection with one of the two statuses the place has for it. */
export function parsePckCertificate(
  certificate: Certificate,
  missing: QvlStatus,
  malformed: QvlStatus,
): PckCertificate {
  const value = sgxExtensionOf(certificate);
  if (value === undefined) throw new Rejection(missing, "the PCK certificate has no SGX extension");
  try {
    return { certificate, sgx: decodePckExtension(value) };
  } catch (error) {
    if (!(error instanceof SgxFormatError)) throw error;
    throw new Rejection(error.cause === undefined ? missing : malformed, error.message);
  }
}

/** Which status a certificate without its extensions gives, by its place: the order of a chain is not fixed. */
function missingExtensionStatus(index: number, count: number): QvlStatus {
  if (index === 0) return "STATUS_SGX_ROOT_CA_INVALID_EXTENSIONS";
  if (index === 1) {
    return count === 2
      ? "STATUS_SGX_TCB_SIGNING_CERT_INVALID_EXTENSIONS"
      : "STATUS_SGX_INTERMEDIATE_CA_INVALID_EXTENSIONS";
  }
  return "STATUS_SGX_PCK_INVALID_EXTENSIONS";
}

function issuesNone(certificate: Certificate, certificates: readonly Certificate[]): boolean {
  return !certificates.some(
    (other) => other.issuer.equals(certificate.subject) && !other.subject.equals(certificate.subject),
  );
}

/**
 * Parses a PEM chain. Certificates already in `known`, byte for byte, are taken from there with what is known of their
 * signatures. Throws {@link Rejection}.
 */
export function parseChain(pem: Uint8Array, known: Certificate[] = []): CertificateChain {
  const blocks = decodePemCertificates(pem);
  if (blocks === undefined || blocks.length === 0) {
    throw new Rejection("STATUS_UNSUPPORTED_CERT_FORMAT", "the certificate chain is not a list of PEM certificates");
  }
  const names: DistinguishedName[] = [];
  const certificates = blocks.map((der, index) => {
    const same = known.find((certificate) => bytesEqual(certificate.der, der));
    if (same !== undefined) return same;
    try {
      const certificate = parseRelatedCertificate(der, names);
      known.push(certificate);
      return certificate;
    } catch (error) {
      if (!(error instanceof MissingExtension)) throw error;
      throw new Rejection(missingExtensionStatus(index, blocks.length), error.message);
    }
  });
  const selfIssued = certificates.map((certificate) => certificate.subject.equals(certificate.issuer));
  let pck: PckCertificate | undefined;
  for (const certificate of certificates) {
    if (certificate.subject.commonName.includes(COMMON_NAME.pck)) {
      pck = parsePckCertificate(certificate, "STATUS_SGX_PCK_INVALID_EXTENSIONS", "STATUS_UNSUPPORTED_CERT_FORMAT");
    }
  }
  return {
    certificates,
    root: certificates[selfIssued.lastIndexOf(true)],
    intermediate: certificates.find(
      (certificate, i) => !selfIssued[i] && certificate.subject.commonName.includes(COMMON_NAME.intermediate),
    ),
    topmost: certificates.findLast((certificate) => issuesNone(certificate, certificates)),
    pck,
  };
}
