import { bytesEqual } from "@confcom/sgx";
import type { Step } from "../crypto.ts";
import { type QvlStatus, Rejection } from "../status.ts";
import type { Certificate } from "../x509/certificate.ts";
import type { CertificateChain } from "../x509/chain.ts";
import { type Crl, isCrlExpired, isRevoked } from "../x509/crl.ts";
import { checkCrl } from "./crl.ts";
import { checkSelfSigned, rootByName } from "./root-ca.ts";
import { isSignedBy } from "./signatures.ts";

export interface PckChainInput {
  readonly chain: CertificateChain;
  readonly rootCaCrl: Crl;
  readonly pckCrl: Crl;
  /** A self-issued certificate; the chain's root must carry the very same signature. */
  readonly trustedRoot: Certificate;
  /** Seconds since 1970. */
  readonly date: number;
}

/** Checks that a certificate names this issuer and carries its signature. Throws {@link Rejection} `status`. */
export function* checkIssued(
  certificate: Certificate,
  issuer: Certificate,
  status: QvlStatus,
  what: string,
): Step<void> {
  if (!certificate.issuer.equals(issuer.subject)) {
    throw new Rejection(
      status,
      `${what} names "${certificate.issuer.text}" as its issuer, not "${issuer.subject.text}"`,
    );
  }
  if (!(yield* isSignedBy(certificate, issuer))) throw new Rejection(status, `the signature of ${what} is wrong`);
}

function expiry(input: PckChainInput, root: Certificate, intermediate: Certificate, pck: Certificate): void {
  const { date, rootCaCrl, pckCrl } = input;
  const certificates = { "root CA": root, "intermediate CA": intermediate, PCK: pck };
  for (const [name, { notAfter }] of Object.entries(certificates)) {
    if (date > notAfter) {
      throw new Rejection("STATUS_SGX_PCK_CERT_CHAIN_EXPIRED", `the ${name} certificate ended ${isoDate(notAfter)}`);
    }
  }
  for (const [name, crl] of Object.entries({ "root CA CRL": rootCaCrl, "PCK CRL": pckCrl })) {
    if (isCrlExpired(crl, date)) throw new Rejection("STATUS_SGX_CRL_EXPIRED", `the ${name} ${crlValidity(crl)}`);
  }
}

export function isoDate(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? `${seconds} s` : date.toISOString().replace(".000Z", "Z");
}

export function crlValidity(crl: Crl): string {
  return `is valid from ${isoDate(crl.thisUpdate)} to ${isoDate(crl.nextUpdate)}`;
}

/** Everything about the chain that does not depend on the time. */
function* checkChain(input: PckChainInput, root: Certificate, intermediate: Certificate, pck: Certificate): Step<void> {
  const { chain, rootCaCrl, pckCrl, trustedRoot } = input;
  const known = chain.verifiedWith;
  if (known?.rootCaCrl === rootCaCrl && known.pckCrl === pckCrl && known.trustedRoot === trustedRoot) return;
  yield* checkSelfSigned(root);
  yield* checkIssued(
    intermediate,
    root,
    "STATUS_SGX_INTERMEDIATE_CA_INVALID_ISSUER",
    "the intermediate CA certificate",
  );
  yield* checkIssued(pck, intermediate, "STATUS_SGX_PCK_INVALID_ISSUER", "the PCK certificate");
  if (!trustedRoot.subject.equals(trustedRoot.issuer)) {
    throw new Rejection("STATUS_TRUSTED_ROOT_CA_INVALID", "the trusted root is not self-issued");
  }
  if (!bytesEqual(root.signatureDer, trustedRoot.signatureDer)) {
    throw new Rejection(
      "STATUS_SGX_PCK_CERT_CHAIN_UNTRUSTED",
      "the chain's root is another certificate than the trusted one",
    );
  }
  yield* checkCrl(rootCaCrl, root, "the root CA CRL");
  yield* checkCrl(pckCrl, intermediate, "the PCK CRL");
  if (isRevoked(rootCaCrl, intermediate)) {
    throw new Rejection("STATUS_SGX_INTERMEDIATE_CA_REVOKED", "the root CA revoked the intermediate CA");
  }
  if (isRevoked(pckCrl, pck))
    throw new Rejection("STATUS_SGX_PCK_REVOKED", "the intermediate CA revoked the PCK certificate");
  chain.verifiedWith = { rootCaCrl, pckCrl, trustedRoot };
}

/**
 * Verifies the chain of the PCK certificate with both CRLs (spec: DCAP §10 B). Expiry is looked at last. Throws the
 * {@link Rejection} that the reference verifier would return.
 */
export function* verifyPckCertificate(input: PckChainInput): Step<void> {
  const { chain } = input;
  const root = rootByName(chain.root);
  const { intermediate } = chain;
  if (intermediate === undefined)
    throw new Rejection("STATUS_SGX_INTERMEDIATE_CA_MISSING", "no intermediate CA is in the chain");
  const pck = chain.pck?.certificate;
  if (pck === undefined) throw new Rejection("STATUS_SGX_PCK_MISSING", "no PCK certificate is in the chain");
  yield* checkChain(input, root, intermediate, pck);
  expiry(input, root, intermediate, pck);
}
