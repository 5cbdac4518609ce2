import { certificateEnd } from "../check/certificate-end.ts";
import { checkAnswer } from "../check/check-answer.ts";
import { checkPckCertificates } from "../check/check-pck-certificates.ts";
import { createAnswerChecker } from "../check/terms.ts";
import { selectPckCertificate } from "../pck-selection/index.ts";
import {
  PlatformCollateralRefusal,
  platformCollateralChanges,
  readPlatformCollateral,
} from "../platform-collateral/index.ts";
import type { CollateralStore, StoreChange } from "../store/store.ts";
import type { CheckContext, CollateralChecks } from "./checks.ts";
import { ServiceRefusal } from "./status.ts";

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

/** PUT /platformcollateral under trusted roots: everything is checked, and written in one transaction. */
export function platformCollateralReader(
  store: CollateralStore,
  trustedRoots: readonly Uint8Array[],
): (content: unknown) => Promise<readonly (readonly StoreChange[])[]> {
  return async (content) => {
    try {
      const rootCaCrl = (await store.rootCaCrl())?.crl;
      const terms = { trustedRoots, ...(rootCaCrl === undefined ? {} : { rootCaCrl }) };
      const collateral = readPlatformCollateral(content);
      return [await platformCollateralChanges(collateral, { terms, knownRawTcbs: (key) => store.rawTcbs(key) })];
    } catch (error) {
      if (!(error instanceof PlatformCollateralRefusal)) throw error;
      throw new ServiceRefusal(error.status, error.message, { cause: error });
    }
  };
}
