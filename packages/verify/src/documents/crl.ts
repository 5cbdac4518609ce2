import type { Step } from "../crypto.ts";
import type { Memory } from "../memory.ts";
import { Rejection } from "../status.ts";
import { checkCrl } from "../steps/crl.ts";
import { isSignedBy, type KeyHolder } from "../steps/signatures.ts";
import { COMMON_NAME } from "../x509/chain.ts";
import type { Crl } from "../x509/crl.ts";
import type { CrlDocument, CrlFacts, PckCrlDocument, RootCaCrlDocument } from "./document.ts";
import { certificationCa, readCrl, type Trust, type VerifiedIssuer, verifyPckCa } from "./issuer.ts";
import { untrusted } from "./refusal.ts";

function facts(
  kind: CrlFacts["kind"],
  crl: Crl,
  issuer: CrlFacts["issuer"],
  ends: readonly { readonly notAfter: number }[],
): CrlFacts {
  return {
    kind,
    issuer,
    number: crl.number,
    issued: crl.thisUpdate * 1000,
    nextUpdate: Math.min(crl.nextUpdate, ...ends.map(({ notAfter }) => notAfter)) * 1000,
  };
}

/** Checks the CRL of a PCK CA under its issuer chain. */
export function* checkPckCrl(memory: Memory, document: PckCrlDocument, trust: Trust): Step<CrlFacts> {
  const crl = yield* readCrl(memory, "pckCrl", document.crl, "the PCK CRL");
  const { root, issuer } = yield* verifyPckCa(memory, "pckIssuerChain", document.issuerChain, trust);
  yield* checkCrl(crl, issuer, "the PCK CRL");
  return facts("pck-crl", crl, certificationCa(issuer), [issuer, root]);
}

/**
 * Checks that a CRL is a trusted root's, by the root's key alone: a CRL comes without the root's certificate. Its issuer
 * must be named as a root, and the CRL must have what the verifier demands of it.
 */
export function* verifyRootCaCrl(crl: Crl, trustedRoots: readonly Uint8Array[]): Step<void> {
  if (!crl.issuer.commonName.includes(COMMON_NAME.root)) {
    untrusted(`the root CA CRL was issued by "${crl.issuer.text}"`);
  }
  if (!crl.hasAuthorityKeyIdentifier) {
    throw new Rejection("STATUS_SGX_CRL_INVALID_EXTENSIONS", "the root CA CRL lacks its authority key identifier");
  }
  for (const publicKey of trustedRoots) {
    const root: KeyHolder = { publicKey };
    if (yield* isSignedBy(crl, root)) return;
  }
  untrusted("the root CA CRL is not signed by a trusted root");
}

export function* checkRootCaCrl(memory: Memory, document: RootCaCrlDocument, trust: Trust): Step<CrlFacts> {
  const crl = yield* readCrl(memory, "rootCaCrlDocument", document.crl, "the root CA CRL");
  yield* verifyRootCaCrl(crl, trust.trustedRoots);
  return facts("root-ca-crl", crl, "root", []);
}

/** Checks a CRL that may be the root's or a PCK CA's, by its issuer's name. */
export function* checkCrlOfAnyone(memory: Memory, document: CrlDocument, trust: Trust): Step<CrlFacts> {
  const crl = yield* readCrl(memory, "crl", document.crl, "the CRL");
  if (crl.issuer.commonName.includes(COMMON_NAME.root)) {
    yield* verifyRootCaCrl(crl, trust.trustedRoots);
    return facts("crl", crl, "root", []);
  }
  for (const [i, chain] of (document.issuerChains ?? []).entries()) {
    const place = `crlIssuerChain${i}`;
    const known: VerifiedIssuer = yield* verifyPckCa(memory, place, chain, { ...trust, rootCaCrl: undefined });
    if (!crl.issuer.printsLike(known.issuer.subject)) continue;
    // Now that it is this CRL's issuer, it matters whether the root revoked it.
    const ca: VerifiedIssuer = yield* verifyPckCa(memory, place, chain, trust);
    yield* checkCrl(crl, ca.issuer, "the CRL");
    return facts("crl", crl, certificationCa(ca.issuer), [ca.issuer, ca.root]);
  }
  return untrusted(`nothing is known of the CRL's issuer "${crl.issuer.text}"`);
}
