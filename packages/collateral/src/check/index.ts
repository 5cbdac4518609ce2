export { checkAnswer } from "./check-answer.ts";
export { checkPckCertificates, MAX_PCK_CERTIFICATES, type PckCertificatesFacts } from "./check-pck-certificates.ts";
export type { AnswerFacts } from "./facts.ts";
export { type AnswerTerms, createAnswerChecker } from "./terms.ts";
