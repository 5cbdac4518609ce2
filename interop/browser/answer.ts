import type { VerificationResult } from "@confcom/verify";
import type { PageAnswer } from "./question.ts";

/** The part of a result that goes over the wire; the same in the page and in Node. */
export function pageAnswer(verified: VerificationResult): PageAnswer {
  const { ret, result, reason, collateralExpired, advisories, supplemental, steps, warnings } = verified;
  return {
    ret,
    result,
    reason,
    collateralExpired,
    advisories,
    advisoryList: supplemental?.advisoryList,
    steps: steps.map(({ name, status, found }) => `${name}: ${status}, ${found}`),
    warnings,
  };
}
