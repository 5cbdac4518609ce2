import {
  ATTRIBUTE_FLAGS,
  bytesEqual,
  Quote3,
  REPORT_OFFSET,
  type ReportBody,
  readU16,
  type TdReport,
  toHex,
} from "@confcom/sgx";
import type { HashFunctions } from "./crypto.ts";
import { VerifyError } from "./errors.ts";
import { checkPolicy, type EnclavePolicy, type Policy, type TdPolicy } from "./policy.ts";
import type { VerificationResult } from "./result.ts";

export interface PolicyFailure {
  /** The field of the policy that the quote does not meet. */
  readonly rule: keyof Policy | `sgx.${keyof EnclavePolicy}` | `td.${keyof TdPolicy}` | "verified";
  readonly expected: string;
  readonly found: string;
}

export interface PolicyVerdict {
  readonly met: boolean;
  /** Every rule that is not met, in the policy's order. */
  readonly failures: readonly PolicyFailure[];
}

/** Bits of TDATTRIBUTES that make a TD untrusted: DEBUG, and those that later modules may put beside it. */
const TD_UNDER_DEBUG = 0xff;

class Failures {
  readonly list: PolicyFailure[] = [];

  require(met: boolean, rule: PolicyFailure["rule"], expected: string, found: string): void {
    if (!met) this.list.push({ rule, expected, found });
  }

  oneOf(wanted: readonly Uint8Array[] | undefined, bytes: Uint8Array, rule: PolicyFailure["rule"]): void {
    if (wanted === undefined) return;
    const met = wanted.some((one) => bytesEqual(one, bytes));
    this.require(met, rule, wanted.map(toHex).join(" or ") || "nothing", toHex(bytes));
  }
}

function checkStatus(result: VerificationResult, policy: Policy, failures: Failures): void {
  const { allowedResults = ["OK"], allowedPlatforms = ["hardware", "other"], toleratedAdvisories } = policy;
  const allowed: readonly string[] = allowedResults;
  failures.require(allowed.includes(result.result), "allowedResults", allowed.join(" or "), result.result);
  const { platform } = result;
  const known = platform !== undefined && allowedPlatforms.includes(platform);
  failures.require(known, "allowedPlatforms", allowedPlatforms.join(" or "), platform ?? "unknown");
  const current = policy.allowExpiredCollateral === true || !result.collateralExpired;
  failures.require(current, "allowExpiredCollateral", "collateral within its validity", "expired collateral");
  if (toleratedAdvisories !== undefined) {
    const others = result.advisories.filter((advisory) => !toleratedAdvisories.includes(advisory));
    failures.require(
      others.length === 0,
      "toleratedAdvisories",
      toleratedAdvisories.join(", ") || "no advisory",
      others.join(", "),
    );
  }
}

function checkAge(result: VerificationResult, policy: Policy, now: Date | undefined, failures: Failures): void {
  const { maximumCollateralAge } = policy;
  if (maximumCollateralAge === undefined) return;
  if (now === undefined) throw new VerifyError("POLICY", "maximumCollateralAge needs the time of validation");
  const age = Math.floor((now.getTime() - (result.collateralIssued?.getTime() ?? Number.NEGATIVE_INFINITY)) / 1000);
  failures.require(
    age <= maximumCollateralAge,
    "maximumCollateralAge",
    `at most ${maximumCollateralAge} s`,
    `${age} s`,
  );
}

function checkMinimum(
  minimum: number | undefined,
  found: number,
  rule: PolicyFailure["rule"],
  failures: Failures,
): void {
  if (minimum !== undefined) failures.require(found >= minimum, rule, `at least ${minimum}`, `${found}`);
}

/** SVNs and numbers of what certified the quote. */
function checkCertification(result: VerificationResult, policy: Policy, failures: Failures): void {
  const { supplemental, quote, pck } = result;
  if (supplemental === undefined || quote === undefined || pck === undefined) return;
  const { minimumTcbEvaluationDataNumber, minimumQeIsvSvn, minimumPceSvn } = policy;
  const evaluation = supplemental.tcbEvalRefNumber;
  checkMinimum(minimumTcbEvaluationDataNumber, evaluation, "minimumTcbEvaluationDataNumber", failures);
  const qeIsvSvn = readU16(quote.signatureData.qeReport, REPORT_OFFSET.ISVSVN);
  checkMinimum(minimumQeIsvSvn, qeIsvSvn, "minimumQeIsvSvn", failures);
  checkMinimum(minimumPceSvn, pck.tcb.pceSvn, "minimumPceSvn", failures);
}

function checkReportData(
  reportData: Uint8Array,
  policy: Policy,
  hashes: HashFunctions | undefined,
  failures: Failures,
): void {
  const compare = (wanted: Uint8Array, rule: PolicyFailure["rule"]) => {
    const padded = new Uint8Array(64);
    padded.set(wanted);
    failures.require(bytesEqual(padded, reportData), rule, toHex(padded), toHex(reportData));
  };
  if (policy.reportData !== undefined) compare(policy.reportData, "reportData");
  if (policy.reportDataHashOf === undefined) return;
  const { algorithm, bytes } = policy.reportDataHashOf;
  const hash = hashes?.[algorithm]?.(bytes);
  if (hash === undefined) throw new VerifyError("POLICY", `reportDataHashOf needs ${algorithm} from the caller`);
  compare(hash, "reportDataHashOf");
}

function checkEnclave(report: ReportBody, policy: Policy, failures: Failures): void {
  const debug = (report.attributes.flags & ATTRIBUTE_FLAGS.DEBUG) !== 0n;
  failures.require(policy.allowDebug === true || !debug, "allowDebug", "no debug enclave", "a debug enclave");
  failures.require(policy.td === undefined, "td", "a TDX quote", "an SGX quote");
  const { sgx } = policy;
  if (sgx === undefined) return;
  failures.oneOf(sgx.mrEnclave, report.mrEnclave, "sgx.mrEnclave");
  failures.oneOf(sgx.mrSigner, report.mrSigner, "sgx.mrSigner");
  if (sgx.isvProdId !== undefined) {
    failures.require(report.isvProdId === sgx.isvProdId, "sgx.isvProdId", `${sgx.isvProdId}`, `${report.isvProdId}`);
  }
  checkMinimum(sgx.minimumIsvSvn, report.isvSvn, "sgx.minimumIsvSvn", failures);
}

function checkMasked(
  rule: { readonly mask: Uint8Array; readonly value: Uint8Array } | undefined,
  bytes: Uint8Array,
  name: "td.tdAttributes" | "td.xfam",
  failures: Failures,
): void {
  if (rule === undefined) return;
  const { mask, value } = rule;
  const met = bytes.every((byte, i) => (byte & (mask[i] as number)) === ((value[i] as number) & (mask[i] as number)));
  failures.require(met, name, `${toHex(value)} under mask ${toHex(mask)}`, toHex(bytes));
}

function checkTd(report: TdReport, policy: Policy, failures: Failures): void {
  const debug = ((report.tdAttributes[0] as number) & TD_UNDER_DEBUG) !== 0;
  failures.require(policy.allowDebug === true || !debug, "allowDebug", "no debug TD", "a debug TD");
  failures.require(policy.sgx === undefined, "sgx", "an SGX quote", "a TDX quote");
  const { td } = policy;
  if (td === undefined) return;
  failures.oneOf(td.mrTd, report.mrTd, "td.mrTd");
  td.rtmr?.forEach((wanted, i) => {
    if (wanted === undefined) return;
    const found = report.rtmr[i] as Uint8Array;
    failures.require(bytesEqual(wanted, found), "td.rtmr", `RTMR${i} ${toHex(wanted)}`, `RTMR${i} ${toHex(found)}`);
  });
  failures.oneOf(td.mrSeam, report.mrSeam, "td.mrSeam");
  for (const name of ["mrConfigId", "mrOwner", "mrOwnerConfig"] as const) {
    const wanted = td[name];
    if (wanted !== undefined) failures.oneOf([wanted], report[name], `td.${name}`);
  }
  const { mrServiceTd, minimumTeeTcbSvn } = td;
  if (mrServiceTd !== undefined) {
    const met = report.mrServiceTd !== undefined && bytesEqual(mrServiceTd, report.mrServiceTd);
    const found = report.mrServiceTd === undefined ? "none" : toHex(report.mrServiceTd);
    failures.require(met, "td.mrServiceTd", toHex(mrServiceTd), found);
  }
  checkMasked(td.tdAttributes, report.tdAttributes, "td.tdAttributes", failures);
  checkMasked(td.xfam, report.xfam, "td.xfam", failures);
  if (minimumTeeTcbSvn !== undefined) {
    const met = report.teeTcbSvn.every((svn, i) => svn >= (minimumTeeTcbSvn[i] as number));
    const wanted = `every byte at least ${toHex(minimumTeeTcbSvn)}`;
    failures.require(met, "td.minimumTeeTcbSvn", wanted, toHex(report.teeTcbSvn));
  }
}

/**
 * Compares a verified quote with what a relying party wants, and reports every rule that is not met. A result whose
 * `ret` is not 0 meets no policy. `now` is needed for `maximumCollateralAge` alone, `hashes` (any crypto provider) for
 * `reportDataHashOf` alone. Throws VerifyError `POLICY` for a policy that means nothing, or if either is missing.
 */
export function validate(
  result: VerificationResult,
  policy: Policy,
  now?: Date,
  hashes?: HashFunctions,
): PolicyVerdict {
  checkPolicy(policy);
  const failures = new Failures();
  const { quote } = result;
  if (result.ret !== Quote3.SUCCESS || quote === undefined || result.supplemental === undefined) {
    failures.require(false, "verified", "a quote that verifies", `${result.retName}: ${result.reason}`);
    return { met: false, failures: failures.list };
  }
  checkStatus(result, policy, failures);
  checkAge(result, policy, now, failures);
  checkCertification(result, policy, failures);
  checkReportData(quote.body.report.reportData, policy, hashes, failures);
  if (quote.body.kind === "sgx") checkEnclave(quote.body.report, policy, failures);
  else checkTd(quote.body.report, policy, failures);
  return { met: failures.list.length === 0, failures: failures.list };
}
