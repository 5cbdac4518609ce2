import { bytesEqual } from "@confcom/sgx";
import type { Step } from "../crypto.ts";
import type { Memory } from "../memory.ts";
import { Rejection } from "../status.ts";
import { checkCrl } from "../steps/crl.ts";
import { checkIssued } from "../steps/pck-certificate.ts";
import { checkSelfSigned, rootByName } from "../steps/root-ca.ts";
import type { Certificate } from "../x509/certificate.ts";
import { type CertificateChain, COMMON_NAME } from "../x509/chain.ts";
import { type Crl, isRevoked } from "../x509/crl.ts";
import type { CertificationCaName } from "./document.ts";
import { checkCrlForm, checkPem } from "./form.ts";
import { malformed, readable, untrusted } from "./refusal.ts";

/** On what a document's issuer is judged. */
export interface Trust {
  readonly trustedRoots: readonly Uint8Array[];
  readonly rootCaCrl: Crl | undefined;
}

export interface VerifiedIssuer {
  readonly root: Certificate;
  readonly issuer: Certificate;
}

export function* readCrl(memory: Memory, place: string, crl: Uint8Array | string, what: string): Step<Crl> {
  checkCrlForm(crl, what);
  return readable(yield* memory.parsed("crl", place, crl));
}

/** A chain of an issuer and the root; its root self-signed, its key among the trusted ones. */
function* readChain(
  memory: Memory,
  place: string,
  pem: string,
  trust: Trust,
): Step<{ chain: CertificateChain; root: Certificate }> {
  checkPem(pem, "the issuer chain");
  const chain = readable(yield* memory.parsed("chain", place, pem));
  if (chain.certificates.length !== 2) {
    malformed(`the issuer chain has ${chain.certificates.length} certificates instead of 2`);
  }
  const root = rootByName(chain.root);
  if (!trust.trustedRoots.some((trusted) => bytesEqual(trusted, root.publicKey))) {
    untrusted(`the chain ends in "${root.subject.text}", whose key is not among the trusted roots`);
  }
  yield* checkSelfSigned(root);
  return { chain, root };
}

function* checkNotRevoked(certificate: Certificate, root: Certificate, { rootCaCrl }: Trust): Step<void> {
  if (rootCaCrl === undefined) return;
  yield* checkCrl(rootCaCrl, root, "the root CA CRL");
  if (isRevoked(rootCaCrl, certificate)) {
    const status = certificate.subject.commonName.includes(COMMON_NAME.tcbSigning)
      ? "STATUS_SGX_TCB_SIGNING_CERT_REVOKED"
      : "STATUS_SGX_INTERMEDIATE_CA_REVOKED";
    throw new Rejection(status, `the root CA revoked "${certificate.subject.text}"`);
  }
}

/** The PCK CA of a chain of intermediate and root (spec: DCAP §8, §10 B). Throws a refusal or {@link Rejection}. */
export function* verifyPckCa(memory: Memory, place: string, pem: string, trust: Trust): Step<VerifiedIssuer> {
  const { chain, root } = yield* readChain(memory, place, pem, trust);
  const issuer = chain.intermediate;
  if (issuer === undefined) return malformed("no intermediate CA is in the issuer chain");
  yield* checkIssued(issuer, root, "STATUS_SGX_INTERMEDIATE_CA_INVALID_ISSUER", "the intermediate CA certificate");
  yield* checkNotRevoked(issuer, root, trust);
  return { root, issuer };
}

/** The TCB signing certificate of a chain of it and the root (spec: DCAP §10 C). Throws a refusal or {@link Rejection}. */
export function* verifyTcbSigner(memory: Memory, place: string, pem: string, trust: Trust): Step<VerifiedIssuer> {
  const { chain, root } = yield* readChain(memory, place, pem, trust);
  const issuer = chain.topmost;
  if (issuer === undefined || !issuer.subject.commonName.includes(COMMON_NAME.tcbSigning)) {
    return malformed("no TCB signing certificate is in the issuer chain");
  }
  yield* checkIssued(issuer, root, "STATUS_SGX_TCB_SIGNING_CERT_INVALID_ISSUER", "the TCB signing certificate");
  yield* checkNotRevoked(issuer, root, trust);
  return { root, issuer };
}

/** Which of the two PCK CAs a certificate is, by its name (spec: DCAP §8). */
export function certificationCa(certificate: Certificate): CertificationCaName {
  const { commonName } = certificate.subject;
  if (commonName.includes("Processor")) return "processor";
  if (commonName.includes("Platform")) return "platform";
  return malformed(`"${commonName}" is neither the Processor CA nor the Platform CA`);
}
