import { bytesEqual } from "@confcom/sgx";
import type { Step } from "../crypto.ts";
import { type QvlStatus, Rejection } from "../status.ts";
import type { Certificate, Signed } from "../x509/certificate.ts";
import { type CertificateChain, COMMON_NAME } from "../x509/chain.ts";
import { type Crl, isCrlExpired, isRevoked } from "../x509/crl.ts";
import { checkCrl } from "./crl.ts";
import { crlValidity, isoDate } from "./pck-certificate.ts";
import { checkSelfSigned, rootByName } from "./root-ca.ts";
import { isSignedBy } from "./signatures.ts";

export interface SignedDocument extends Signed {
  readonly nextUpdate: number;
  /** What the document was verified with, validity apart. */
  verifiedWith?: { readonly chain: CertificateChain; readonly rootCaCrl: Crl; readonly trustedRoot: Certificate };
}

export interface SignedDocumentInput {
  readonly document: SignedDocument;
  readonly chain: CertificateChain;
  readonly rootCaCrl: Crl;
  readonly trustedRoot: Certificate;
  /** Seconds since 1970. */
  readonly date: number;
}

/** The TCB signing certificate, once its chain is verified (spec: DCAP §10 C). */
function* verifySigningChain(input: SignedDocumentInput): Step<{ signer: Certificate }> {
  const { chain, rootCaCrl, trustedRoot } = input;
  if (chain.certificates.length !== 2) {
    throw new Rejection(
      "STATUS_UNSUPPORTED_CERT_FORMAT",
      `the TCB signing chain has ${chain.certificates.length} certificates instead of 2`,
    );
  }
  const root = rootByName(chain.root);
  yield* checkSelfSigned(root);
  const signer = chain.topmost;
  if (signer === undefined || !signer.subject.commonName.includes(COMMON_NAME.tcbSigning)) {
    throw new Rejection("STATUS_SGX_TCB_SIGNING_CERT_MISSING", "no TCB signing certificate ends the chain");
  }
  if (!signer.issuer.equals(root.subject) || !(yield* isSignedBy(signer, root))) {
    throw new Rejection(
      "STATUS_SGX_TCB_SIGNING_CERT_INVALID_ISSUER",
      "the root did not sign the TCB signing certificate",
    );
  }
  yield* checkCrl(rootCaCrl, root, "the root CA CRL");
  if (isRevoked(rootCaCrl, signer)) {
    throw new Rejection("STATUS_SGX_TCB_SIGNING_CERT_REVOKED", "the root CA revoked the TCB signing certificate");
  }
  if (!trustedRoot.subject.equals(trustedRoot.issuer)) {
    throw new Rejection("STATUS_TRUSTED_ROOT_CA_INVALID", "the trusted root is not self-issued");
  }
  if (!bytesEqual(root.signatureDer, trustedRoot.signatureDer)) {
    throw new Rejection(
      "STATUS_SGX_TCB_SIGNING_CERT_CHAIN_UNTRUSTED",
      "the root of the TCB signing chain is another certificate than that of the PCK chain",
    );
  }
  return { signer };
}

function* checkSignature(input: SignedDocumentInput, what: string, badSignature: QvlStatus): Step<void> {
  const { signer } = yield* verifySigningChain(input);
  if (!(yield* isSignedBy(input.document, signer)))
    throw new Rejection(badSignature, `the signature of the ${what} is wrong`);
}

/** Verifies chain, signature and, last, expiry of a TCB info or QE identity. Throws {@link Rejection}. */
function* verifyDocument(
  input: SignedDocumentInput,
  what: string,
  badSignature: QvlStatus,
  expired: QvlStatus,
): Step<void> {
  const { document, chain, rootCaCrl, trustedRoot, date } = input;
  const known = document.verifiedWith;
  if (!(known?.chain === chain && known.rootCaCrl === rootCaCrl && known.trustedRoot === trustedRoot)) {
    yield* checkSignature(input, what, badSignature);
    document.verifiedWith = { chain, rootCaCrl, trustedRoot };
  }
  const root = chain.root as Certificate;
  const signer = chain.topmost as Certificate;
  for (const [name, { notAfter }] of Object.entries({ "root CA": root, "TCB signing": signer })) {
    if (date > notAfter) {
      throw new Rejection(
        "STATUS_SGX_SIGNING_CERT_CHAIN_EXPIRED",
        `the ${name} certificate ended ${isoDate(notAfter)}`,
      );
    }
  }
  if (isCrlExpired(rootCaCrl, date)) {
    throw new Rejection("STATUS_SGX_CRL_EXPIRED", `the root CA CRL ${crlValidity(rootCaCrl)}`);
  }
  if (date > document.nextUpdate) {
    throw new Rejection(expired, `the ${what} was to be replaced by ${isoDate(document.nextUpdate)}`);
  }
}

export function verifyTcbInfo(input: SignedDocumentInput): Step<void> {
  return verifyDocument(input, "TCB info", "STATUS_TCB_INFO_INVALID_SIGNATURE", "STATUS_SGX_TCB_INFO_EXPIRED");
}

export function verifyQeIdentity(input: SignedDocumentInput): Step<void> {
  return verifyDocument(
    input,
    "QE identity",
    "STATUS_SGX_ENCLAVE_IDENTITY_INVALID_SIGNATURE",
    "STATUS_SGX_ENCLAVE_IDENTITY_EXPIRED",
  );
}
