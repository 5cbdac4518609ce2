import type { QvResultName } from "@confcom/sgx";
import type { VerificationResult } from "@confcom/verify";
import type { MutationKind } from "@confcom/verify/testing";
import type { CrateAnswer } from "./crate-batch.ts";

/** One input on which the two verifiers do not say the same. */
export interface Disagreement {
  readonly kind: MutationKind;
  readonly own: VerificationResult;
  readonly crate: CrateAnswer;
  readonly sort: "we accept" | "crate accepts" | "verdict" | "advisories";
}

/** Intel's verdicts and the crate's words for them. */
const STATUS: Readonly<Partial<Record<QvResultName, string>>> = {
  OK: "UpToDate",
  SW_HARDENING_NEEDED: "SWHardeningNeeded",
  CONFIG_NEEDED: "ConfigurationNeeded",
  CONFIG_AND_SW_HARDENING_NEEDED: "ConfigurationAndSWHardeningNeeded",
  OUT_OF_DATE: "OutOfDate",
  OUT_OF_DATE_CONFIG_NEEDED: "OutOfDateConfigurationNeeded",
  TD_RELAUNCH_ADVISED: "TDRelaunchAdvised",
  TD_RELAUNCH_ADVISED_CONFIG_NEEDED: "TDRelaunchAdvisedConfigurationNeeded",
};

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
  if (STATUS[own.result] !== crate.status) return found("verdict");
  return own.advisories.join() === crate.advisoryIds?.join() ? undefined : found("advisories");
}
