import { QV_RESULTS, QvResult, toHex } from "@confcom/sgx";
import {
  type CertificateVerificationResult,
  type PolicyVerdict,
  SOFTWARE_PLATFORM_NOTE,
  type VerificationResult,
  type VerificationStep,
} from "@confcom/verify";
import type { Output } from "../terminal/output.ts";
import { printable } from "../terminal/printable.ts";
import type { Style } from "../terminal/style.ts";
import { drawTree, type TreeNode } from "../terminal/tree.ts";
import { flagFor, wayOut } from "./way-out.ts";

/** One line that says what a verification found, and whether that was wanted. */
export function verdictLine(result: VerificationResult, style: Style, policy?: PolicyVerdict): string {
  if (result.ret !== 0) {
    const code = `0x${result.ret.toString(16).toUpperCase().padStart(4, "0")} ${result.retName}`;
    return `${style.bad("NOT VERIFIED")} ${style.strong(code)}: ${printable(result.reason)}`;
  }
  const { explanation } = QV_RESULTS[QvResult[result.result]];
  const paint = result.result === "OK" ? style.good : style.caution;
  const found = `${paint(result.result)}: ${explanation}`;
  if (policy === undefined) return found;
  return policy.met ? `${style.good("VERIFIED")} ${found}` : `${style.bad("VERIFIED, POLICY NOT MET")} ${found}`;
}

function stepNode(step: VerificationStep, style: Style): TreeNode {
  const mark = { passed: style.good("✓"), noted: style.caution("!"), failed: style.bad("✗") }[step.outcome];
  return {
    mark,
    name: `${step.name}:`,
    value: step.found,
    ...(step.outcome === "passed" ? {} : { note: step.status }),
  };
}

/** Verdict first, then who stands behind the quote, warnings, and the tree of steps. */
export function printVerdict(result: VerificationResult, output: Output, policy?: PolicyVerdict): void {
  const { style } = output;
  output.line(verdictLine(result, style, policy));
  if (policy !== undefined) printPolicy(policy, output);
  if (result.status === "STATUS_SGX_ROOT_CA_UNTRUSTED") {
    output.line(
      style.caution("--trust-root ROOT.pem would trust this root, --state DIR that of a software platform here"),
    );
  }
  if (result.platform === "software") output.line(style.caution(SOFTWARE_PLATFORM_NOTE));
  if (result.platform === "other") output.line(style.caution("The chain ends in a root of your choice, not Intel's."));
  if (result.tcbLevel !== undefined) {
    output.line(`TCB level ${result.tcbLevel.status} of ${result.tcbLevel.date.toISOString().slice(0, 10)}`);
  }
  if (result.advisories.length > 0) output.line(`advisories ${printable(result.advisories.join(", "))}`);
  if (result.ret === 0 && result.collateralExpired) output.line(style.caution("a part of the collateral has expired"));
  for (const warning of result.warnings) output.line(style.caution(`warning: ${printable(warning)}`));
  const tree = { name: "steps", children: result.steps.map((step) => stepNode(step, style)) };
  for (const line of drawTree(tree, style)) output.line(line);
}

function printPolicy(policy: PolicyVerdict, output: Output): void {
  if (policy.met) output.line("policy met");
  for (const failure of policy.failures) {
    const text = `policy not met: ${failure.rule}: wanted ${failure.expected}, found ${failure.found}`;
    output.line(`${output.style.bad(printable(text))} (${printable(wayOut(failure))})`);
  }
}

function policyJson({ met, failures }: PolicyVerdict): Record<string, unknown> {
  return { met, failures: failures.map((failure) => ({ ...failure, flag: flagFor(failure) ?? null })) };
}

function certificateJson({ embedded, keyBinding }: CertificateVerificationResult): Record<string, unknown> | null {
  if (embedded === undefined) return null;
  const { oid, scheme, format, others, certificate } = embedded;
  return {
    subject: certificate.subject.text,
    extension: oid,
    scheme,
    format,
    otherExtensions: others,
    publicKeyInfo: certificate.publicKeyInfo,
    keyBinding: keyBinding ?? null,
  };
}

/** What `--json` prints of a verification. */
export function verdictJson(result: CertificateVerificationResult, policy?: PolicyVerdict): Record<string, unknown> {
  const certificate = certificateJson(result);
  return {
    verified: result.ret === 0,
    ret: `0x${result.ret.toString(16).padStart(4, "0")}`,
    retName: result.retName,
    result: result.result,
    policy: policy === undefined ? null : policyJson(policy),
    reason: result.reason,
    status: result.status,
    platform: result.platform ?? null,
    ...(result.platform === "software" ? { note: SOFTWARE_PLATFORM_NOTE } : {}),
    collateralExpired: result.collateralExpired,
    tcbLevel: result.tcbLevel ?? null,
    advisories: result.advisories,
    warnings: result.warnings,
    rootKey: result.rootKey === undefined ? null : toHex(result.rootKey),
    report: result.quote?.body ?? null,
    ...(certificate === null ? {} : { certificate }),
    supplemental: result.supplemental ?? null,
    steps: result.steps,
  };
}
