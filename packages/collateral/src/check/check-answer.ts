import { fromHex } from "@confcom/sgx";
import type { CrlFacts, PckChainFacts } from "@confcom/verify/documents";
import type {
  AnswerTo,
  CollateralAnswer,
  CrlAnswer,
  IdentityAnswer,
  PckCertificateAnswer,
  PckCrlAnswer,
  RootCaCrlAnswer,
  TcbInfoAnswer,
} from "../answer.ts";
import { upperHex } from "../hexadecimal.ts";
import type {
  CollateralRequest,
  CrlRequest,
  IdentityRequest,
  PckCertificateRequest,
  PckCrlRequest,
  TcbInfoRequest,
} from "../request.ts";
import { checked, unreadableAnswer, wrongAnswer } from "./answer-error.ts";
import type { AnswerFacts } from "./facts.ts";
import { certificatePceId, checkSaid } from "./pck-tcb.ts";
import { type AnswerTerms, documentTerms } from "./terms.ts";

/**
 * Checks that an answer is signed under a trusted root and is what the request asked for (spec: DCAP §8-§10, §12), and says
 * what it is from its signed bytes. Fails with CollateralError ANSWER_UNTRUSTED, or SOURCE_ANSWER when it cannot be read.
 *
 * Age is a fact here and no failure: an expired answer comes back with a `nextUpdate` in the past, and the caller decides.
 * Nor can it be seen whether a document is of the standard or the early update: compare `tcbEvaluationDataNumber`.
 */
export function checkAnswer<R extends CollateralRequest>(
  request: R,
  answer: AnswerTo<R>,
  terms: AnswerTerms,
): AnswerFacts {
  return check(request, answer, terms);
}

function check(request: CollateralRequest, answer: CollateralAnswer, terms: AnswerTerms): AnswerFacts {
  if (request.kind === "pck-certificate" && answer.kind === request.kind) return pckCertificate(request, answer, terms);
  if (request.kind === "pck-crl" && answer.kind === request.kind) return pckCrl(request, answer, terms);
  if (request.kind === "tcb-info" && answer.kind === request.kind) return tcbInfo(request, answer, terms);
  if (request.kind === "identity" && answer.kind === request.kind) return identity(request, answer, terms);
  if (request.kind === "root-ca-crl" && answer.kind === request.kind) return rootCaCrl(answer, terms);
  if (request.kind === "crl" && answer.kind === request.kind) return crl(request, answer, terms);
  return unreadableAnswer(`${request.kind} was asked for, ${answer.kind} came`);
}

/** A certificate for a TCB above the platform's own would be for a key that its PCE cannot derive. */
function checkTcb({ tcb }: PckChainFacts, request: PckCertificateRequest): void {
  const cpuSvn = fromHex(request.cpuSvn, 16);
  const pceSvn = Number.parseInt(request.pceSvn.slice(2) + request.pceSvn.slice(0, 2), 16);
  if (tcb.pceSvn > pceSvn || tcb.components.some((svn, i) => svn > (cpuSvn[i] as number))) {
    wrongAnswer("the PCK certificate is for a TCB above the platform's");
  }
}

function pckCertificate(request: PckCertificateRequest, answer: PckCertificateAnswer, terms: AnswerTerms): AnswerFacts {
  const { checker, documentTerms: on } = documentTerms(terms);
  const { certificate, issuerChain } = answer;
  const facts = checked("PCK certificate", () => checker.check({ kind: "pck-chain", certificate, issuerChain }, on));
  checkSaid(facts, answer);
  if (certificatePceId(facts) !== request.pceId.toUpperCase()) {
    wrongAnswer(`the PCK certificate is of PCEID ${certificatePceId(facts)}, not ${request.pceId}`);
  }
  checkTcb(facts, request);
  const { issued, nextUpdate, ca } = facts;
  return { issued, nextUpdate, fmspc: upperHex(facts.fmspc), ca };
}

function crlFacts({ issued, nextUpdate, issuer, number }: CrlFacts): AnswerFacts {
  // Below 0: one that cannot be compared.
  const crlNumber = number < 0 ? {} : { crlNumber: number };
  return { issued, nextUpdate, ...crlNumber, ...(issuer === "root" ? {} : { ca: issuer }) };
}

function pckCrl(request: PckCrlRequest, answer: PckCrlAnswer, terms: AnswerTerms): AnswerFacts {
  const { checker, documentTerms: on } = documentTerms(terms);
  const { issuerChain } = answer;
  const facts = checked("PCK CRL", () => checker.check({ kind: "pck-crl", crl: answer.crl, issuerChain }, on));
  if (facts.issuer !== request.ca) wrongAnswer(`the PCK CRL is of the ${facts.issuer} CA, not of the ${request.ca} CA`);
  return crlFacts(facts);
}

function rootCaCrl(answer: RootCaCrlAnswer, terms: AnswerTerms): AnswerFacts {
  const { trustedRoots } = terms;
  const { checker } = documentTerms(terms);
  return crlFacts(
    checked("root CA CRL", () => checker.check({ kind: "root-ca-crl", crl: answer.crl }, { trustedRoots })),
  );
}

/** Whose CRL a distribution point holds, where its URL says so (spec: DCAP §8). */
function issuerNamedBy(url: string): CrlFacts["issuer"] | undefined {
  const ca = /[?&]ca=(processor|platform)(?:&|$)/i.exec(url)?.[1]?.toLowerCase();
  if (ca === "processor" || ca === "platform") return ca;
  return /RootCA\.(?:der|crl|pem)$/i.test(url) ? "root" : undefined;
}

function crl(request: CrlRequest, answer: CrlAnswer, terms: AnswerTerms): AnswerFacts {
  const { checker, documentTerms: on } = documentTerms(terms);
  const { pckIssuerChains: issuerChains = [] } = terms;
  const facts = checked("CRL", () => checker.check({ kind: "crl", crl: answer.crl, issuerChains }, on));
  const named = issuerNamedBy(request.url);
  if (named !== undefined && named !== facts.issuer) {
    wrongAnswer(`the CRL is of the ${facts.issuer} CA, not of the ${named} CA that its URL names`);
  }
  return crlFacts(facts);
}

function tcbInfo(request: TcbInfoRequest, answer: TcbInfoAnswer, terms: AnswerTerms): AnswerFacts {
  const { checker, documentTerms: on } = documentTerms(terms);
  const facts = checked("TCB info", () => checker.check(answer, on));
  const fmspc = upperHex(facts.fmspc);
  const { issued, nextUpdate, tee, tcbEvaluationDataNumber } = facts;
  if (fmspc !== request.fmspc.toUpperCase()) wrongAnswer(`the TCB info is of FMSPC ${fmspc}, not ${request.fmspc}`);
  if (tee !== request.tee) wrongAnswer(`the TCB info is for ${tee}, not for ${request.tee}`);
  const version = request.version === 4 ? 3 : 2;
  if (facts.version !== version) wrongAnswer(`the TCB info is of version ${facts.version}, not ${version}`);
  return { issued, nextUpdate, tcbEvaluationDataNumber, fmspc, tee };
}

function identity(request: IdentityRequest, answer: IdentityAnswer, terms: AnswerTerms): AnswerFacts {
  const { checker, documentTerms: on } = documentTerms(terms);
  const { issued, nextUpdate, tcbEvaluationDataNumber, id } = checked("enclave identity", () =>
    checker.check(answer, on),
  );
  if (id !== request.id) wrongAnswer(`the enclave identity is of ${id}, not of ${request.id}`);
  return { issued, nextUpdate, tcbEvaluationDataNumber, id };
}
