import { bytesEqual } from "@confcom/sgx";
import type { PckChainFacts } from "@confcom/verify/documents";
import type { CertificationCa } from "../request.ts";
import type { PckCertificates } from "../source.ts";
import { checked, unreadableAnswer, wrongAnswer } from "./answer-error.ts";
import { certificatePceId, checkSaid } from "./pck-tcb.ts";
import { type AnswerTerms, createAnswerChecker, documentTerms } from "./terms.ts";

/** Certificates of one platform, at most. Intel issues one for each TCB there was: a few dozen. */
export const MAX_PCK_CERTIFICATES = 1024;

const TCBM = /^[0-9A-F]{36}$/i;

export interface PckCertificatesFacts {
  /** 12 hexadecimal digits, upper case. */
  readonly fmspc: string;
  readonly ca: CertificationCa;
  /** 16 bytes; undefined when no certificate is available. */
  readonly ppid: Uint8Array | undefined;
  /** Milliseconds since 1970: the first end of any of the chains; infinite when no certificate is available. */
  readonly nextUpdate: number;
}

/**
 * Checks every certificate of a platform: signed under a trusted root by the CA that is named, of the FMSPC, the PCEID (4
 * hexadecimal digits, little-endian bytes) and the TCBm that are named, all of one PPID. One that is wrong refuses all.
 * Age is a fact. Fails as `checkAnswer` does.
 */
export function checkPckCertificates(
  platform: PckCertificates,
  pceId: string,
  terms: AnswerTerms,
): PckCertificatesFacts {
  const { certificates, issuerChain, fmspc, ca } = platform;
  if (certificates.length > MAX_PCK_CERTIFICATES) {
    unreadableAnswer(`${certificates.length} PCK certificates for one platform`);
  }
  if (!/^[0-9A-F]{12}$/i.test(fmspc)) unreadableAnswer("FMSPC is not 12 hexadecimal digits");
  // The issuer chain is the same for all: its signatures are checked once.
  const { crypto } = terms;
  const checker = terms.checker ?? createAnswerChecker(crypto === undefined ? {} : { crypto });
  const { documentTerms: on } = documentTerms({ ...terms, checker });
  let first: PckChainFacts | undefined;
  let nextUpdate = Number.POSITIVE_INFINITY;
  for (const { tcbm, certificate } of certificates) {
    if (!TCBM.test(tcbm)) unreadableAnswer("TCBm is not 36 hexadecimal digits");
    if (certificate === undefined) continue;
    const facts = checked(`PCK certificate for TCBm ${tcbm}`, () =>
      checker.check({ kind: "pck-chain", certificate, issuerChain }, on),
    );
    checkSaid(facts, { tcbm, fmspc, ca });
    if (certificatePceId(facts) !== pceId.toUpperCase()) {
      wrongAnswer(`a PCK certificate is of PCEID ${certificatePceId(facts)}, not ${pceId}`);
    }
    first ??= facts;
    if (!bytesEqual(first.ppid, facts.ppid)) wrongAnswer("the PCK certificates are of different platforms");
    nextUpdate = Math.min(nextUpdate, facts.nextUpdate);
  }
  return { fmspc: fmspc.toUpperCase(), ca, ppid: first?.ppid, nextUpdate };
}
