import { bytesEqual, QV_RESULTS, quote3ErrorName, toHex } from "@confcom/sgx";
import type { VerificationResult } from "../result.ts";
import { QVL_STATUSES } from "../status.ts";

/** Words for a person: one line, no control characters that a terminal or a log would act on, no flood. */
const MAX_WORDS = 4000;

function wordsProblem(words: unknown, where: string): string | undefined {
  if (typeof words !== "string" || words === "") return `${where} is no text`;
  if (words.length > MAX_WORDS) return `${where} has ${words.length} characters`;
  for (let i = 0; i < words.length; i++) {
    const code = words.charCodeAt(i);
    if (code < 32 || (code >= 0x7f && code < 0xa0)) return `${where} contains the control character ${code}`;
  }
  return undefined;
}

function verdictProblem(result: VerificationResult): string | undefined {
  const { ret, tcbLevel, supplemental, quote, pck, rootKey, platform, collateralIssued, advisories } = result;
  if (ret !== 0) {
    if (result.result !== "UNSPECIFIED") return `refused with the verdict ${result.result}`;
    if (tcbLevel !== undefined || supplemental !== undefined || advisories.length > 0) return "refused with findings";
    return undefined;
  }
  if (result.result === "UNSPECIFIED") return "accepted without a verdict";
  const needed = { tcbLevel, supplemental, quote, pck, rootKey, platform, collateralIssued };
  const missing = Object.entries(needed).find(([, value]) => value === undefined);
  return missing === undefined ? undefined : `accepted without ${missing[0]}`;
}

function stepsProblem({ ret, steps }: VerificationResult): string | undefined {
  if (steps.length === 0 || steps.length > 24) return `${steps.length} steps`;
  for (const [i, { name, status, outcome, found }] of steps.entries()) {
    const last = i === steps.length - 1;
    if (!(status in QVL_STATUSES)) return `the step ${name} has the unknown status ${status}`;
    if ((outcome === "failed") !== (last && ret !== 0)) return `step ${i} of ${steps.length} (${name}) is ${outcome}`;
    if ((outcome === "passed") !== (status === "STATUS_OK") && outcome !== "failed")
      return `${name}: ${outcome}, ${status}`;
    const problem = wordsProblem(found, `what the step ${name} found`);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** What is wrong with the form of a result, undefined if nothing is. Reads all of it, words made on demand included. */
export function resultProblem(result: VerificationResult, trustedRoot: Uint8Array): string | undefined {
  const { ret, retName, status, rootKey, warnings } = result;
  if (quote3ErrorName(ret) !== retName) return `ret ${ret} is named ${retName}`;
  if (!Object.values(QV_RESULTS).some(({ name }) => name === result.result))
    return `the verdict ${result.result} is unknown`;
  if (!(status in QVL_STATUSES)) return `the status ${status} is unknown`;
  if (rootKey !== undefined && !bytesEqual(rootKey, trustedRoot)) return "the root key is not the trusted one";
  if (result.collateralIssued !== undefined && Number.isNaN(result.collateralIssued.getTime())) return "no real date";
  if (warnings.length > 24) return `${warnings.length} warnings`;
  return (
    verdictProblem(result) ??
    stepsProblem(result) ??
    wordsProblem(result.reason, "the reason") ??
    warnings.map((warning) => wordsProblem(warning, "a warning")).find((problem) => problem !== undefined)
  );
}

function hex(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? "" : toHex(bytes);
}

/** All that an accepted quote says about itself and its platform, to compare two results by. */
export function assertedFacts({
  quote,
  pck,
  tcbLevel,
  result,
  advisories,
  rootKey,
  platform,
}: VerificationResult): string {
  return [
    result,
    platform,
    advisories.join(),
    hex(rootKey),
    hex(quote?.signedBytes),
    hex(quote?.signatureData.qeReport),
    hex(pck?.fmspc),
    hex(pck?.pceId),
    hex(pck?.ppid),
    hex(pck?.tcb.components),
    pck?.tcb.pceSvn,
    tcbLevel?.status,
    tcbLevel?.date.getTime(),
    hex(tcbLevel?.sgxComponents),
    hex(tcbLevel?.tdxComponents),
    tcbLevel?.pceSvn,
  ].join("|");
}
