import type { VerificationResult } from "@confcom/verify";
import type { MutationKind } from "@confcom/verify/testing";
import { STATUS_NAME } from "../tcb-status-name.ts";
import type { CrateAnswer } from "./crate-batch.ts";

/** One input on which the two verifiers do not say the same. */
export interface Disagreement {
  readonly kind: MutationKind;
  readonly own: VerificationResult;
  readonly crate: CrateAnswer;
  readonly sort: "we accept" | "crate accepts" | "verdict" | "advisories";
}

/** How the two differ, undefined if they agree: both refuse, or both accept with the same verdict and advisories. */
export function disagreement(
  kind: MutationKind,
  own: VerificationResult,
  crate: CrateAnswer,
): Disagreement | undefined {
  const accepted = own.ret === 0;
  const theirs = crate.accepted === true;
  const found = (sort: Disagreement["sort"]): Disagreement => ({ kind, own, crate, sort });
  if (accepted !== theirs) return found(accepted ? "we accept" : "crate accepts");
  if (!accepted) return undefined;
  if (STATUS_NAME[own.result] !== crate.status) return found("verdict");
  return own.advisories.join() === crate.advisoryIds?.join() ? undefined : found("advisories");
}
