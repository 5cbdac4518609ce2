import { certificateEnd } from "../check/certificate-end.ts";
import { checkAnswer } from "../check/check-answer.ts";
import { checkPckCertificates } from "../check/check-pck-certificates.ts";
import { createAnswerChecker } from "../check/terms.ts";
import { selectPckCertificate } from "../pck-selection/index.ts";
import type { CheckContext, CollateralChecks } from "./checks.ts";

/** The checks under trusted roots, 65 bytes each. The time is no part of them: age is a fact that the service judges. */
export function genuineChecks(trustedRoots: readonly Uint8Array[]): CollateralChecks {
  const checker = createAnswerChecker();
  const terms = ({ rootCaCrl, pckIssuerChains }: CheckContext) => ({
    trustedRoots,
    checker,
    ...(rootCaCrl === undefined ? {} : { rootCaCrl }),
    ...(pckIssuerChains === undefined ? {} : { pckIssuerChains }),
  });
  return {
    answer: (request, answer, context) => checkAnswer(request, answer, terms(context)),
    pckCertificates: (certificates, pceId, context) => {
      checkPckCertificates(certificates, pceId, terms(context));
    },
    certificateEnd: ({ certificate, issuerChain }) => certificateEnd(certificate, issuerChain),
    select: (certificates, tcbInfo, rawTcb) => selectPckCertificate(certificates, tcbInfo, rawTcb)?.certificate,
  };
}
