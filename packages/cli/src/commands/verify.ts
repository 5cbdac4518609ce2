import type { Collateral, QveCollateral } from "@confcom/verify";
import type { Command } from "commander";
import {
  addCollateralFlags,
  addTrustRootFlag,
  type CollateralFlags,
  collateralFlagsGiven,
} from "../collateral/collateral-flags.ts";
import { CommandError } from "../command-error.ts";
import { ExitCode } from "../exit-code.ts";
import { issuingCa, type QuoteInput, readQuoteInput } from "../input/quote-input.ts";
import { readInput } from "../input/read-input.ts";
import type { Output } from "../terminal/output.ts";
import { printable } from "../terminal/printable.ts";
import { usage } from "../usage-error.ts";
import { addPolicyFlags, type PolicyFlags, policyFrom } from "../verify/policy-flags.ts";

interface VerifyCommandOptions extends PolicyFlags, CollateralFlags {
  collateral?: string;
  state?: string;
  at?: string;
  jsonl?: string;
  json?: boolean;
}

/** `confcom verify QUOTE`: genuine or not, and why. */
export function register(program: Command, output: Output): void {
  const command = program
    .command("verify")
    .description("verify a quote: exit status 0 verified and policy met, 1 verified but policy not met, 2 not verified")
    .argument("[quote]", "a file with the quote (binary, hex or base64) or with a certificate that carries one, or -")
    .option(
      "--collateral <path>",
      "JSON file or directory with the collateral (default: got from the configured sources)",
    );
  addTrustRootFlag(command)
    .option("--state <dir>", "take collateral and root from this software platform's state directory")
    .option("--at <time>", "verify as of this time (ISO 8601 or seconds since 1970; default: now)")
    .option("--jsonl <file>", "verify one case per line and print one verdict per line")
    .option("--json", "print the result as JSON");
  addPolicyFlags(addCollateralFlags(command)).action((path: string | undefined, options: VerifyCommandOptions) =>
    verify(path, options, output),
  );
}

async function verify(path: string | undefined, options: VerifyCommandOptions, output: Output): Promise<void> {
  if (options.jsonl !== undefined) {
    if (path !== undefined) throw usage("give a quote or --jsonl FILE, not both", "verify");
    const ignored = Object.entries(options).filter(
      ([name, value]) => value !== undefined && !["jsonl", "json"].includes(name),
    );
    if (ignored.length > 0)
      throw usage("the lines of --jsonl FILE say all there is to say; give no other option", "verify");
    const { verifyCaseLines } = await import("../verify/case-lines.ts");
    process.exitCode = ExitCode.CANNOT_CREATE;
    verifyCaseLines(options.jsonl, (line) => output.line(line));
    process.exitCode = ExitCode.OK;
    return;
  }
  if (path === undefined) throw usage("give a quote, or --jsonl FILE", "verify");
  const input = readQuoteInput(path);
  const policy = policyFrom(options, options.trustRoot !== undefined || options.state !== undefined);
  const { collateral, trustedRoots, quote }: Material =
    input.kind === "empty" ? NOTHING_TO_VERIFY : await materialFor(options, input, output);
  const { validate, verifyCertificate, verifyQuote } = await import("@confcom/verify");
  const { nodeCrypto } = await import("@confcom/verify/node");
  const { printVerdict, verdictJson } = await import("../verify/verdict.ts");
  const now = options.at === undefined ? new Date() : parseTime(options.at);
  const verifyInput = input.kind === "certificate" ? verifyCertificate : verifyQuote;
  const bytes = input.kind === "certificate" ? input.bytes : (quote ?? input.bytes);
  const result = verifyInput(bytes, collateral, { now, trustedRoots, crypto: nodeCrypto });
  const verdict = result.ret === 0 ? validate(result, policy, now, nodeCrypto) : undefined;
  // Before anything is printed: a reader that goes away must not turn the answer into success.
  process.exitCode = verdict === undefined ? ExitCode.NOT_VERIFIED : verdict.met ? ExitCode.OK : ExitCode.NEGATIVE;
  if (options.json) output.json(verdictJson(result, verdict));
  else printVerdict(result, output, verdict);
}

interface Material {
  readonly collateral: Collateral | QveCollateral;
  readonly trustedRoots: readonly Uint8Array[];
  /** The quote with the PCK certificate chain that was fetched for it. */
  readonly quote?: Uint8Array;
}

/** An empty file is no quote, whatever collateral and roots: nobody needs to name them to be told so. */
const NOTHING_TO_VERIFY = {
  collateral: {
    pck_crl_issuer_chain: "",
    root_ca_crl: "",
    pck_crl: "",
    tcb_info_issuer_chain: "",
    tcb_info: "",
    tcb_info_signature: "",
    qe_identity_issuer_chain: "",
    qe_identity: "",
    qe_identity_signature: "",
  },
  trustedRoots: [],
};

async function materialFor(options: VerifyCommandOptions, input: QuoteInput, output: Output) {
  const { INTEL_SGX_ROOT_KEY, trustedRootFromCertificate } = await import("@confcom/verify");
  const { readCollateral } = await import("../input/collateral-input.ts");
  const named = (options.trustRoot ?? []).map((path) =>
    trustedRootFromCertificate(readInput(path, "the root certificate")),
  );
  const unused = collateralFlagsGiven(options)[0];
  if (unused !== undefined && (options.collateral !== undefined || options.state !== undefined))
    throw usage(`${unused} says where to get collateral, which --collateral or --state already gives`, "verify");
  if (options.state === undefined) {
    if (options.collateral === undefined) return fetchedFor(options, input, named, output);
    return {
      collateral: readCollateral(options.collateral, () => issuingCa(input)),
      trustedRoots: named.length === 0 ? [INTEL_SGX_ROOT_KEY] : named,
    };
  }
  const { openExistingPlatform } = await import("../quote-helper/platform.ts");
  const platform = await openExistingPlatform(options.state, (text) => output.note(`warning: ${printable(text)}`));
  try {
    return {
      collateral:
        options.collateral === undefined
          ? await platform.authority.collateral()
          : readCollateral(options.collateral, () => issuingCa(input)),
      trustedRoots: [...named, trustedRootFromCertificate(platform.authority.rootCertificatePem)],
    };
  } finally {
    await platform.close();
  }
}

/** What the quote needs from the configured sources. What is no quote, or names no platform, is the verifier's to judge. */
async function fetchedFor(
  options: VerifyCommandOptions,
  input: QuoteInput,
  named: readonly Uint8Array[],
  output: Output,
) {
  const { INTEL_SGX_ROOT_KEY, VerifyError } = await import("@confcom/verify");
  const { CollateralError } = await import("@confcom/collateral");
  const { SgxFormatError } = await import("@confcom/sgx");
  const { fetchCollateral } = await import("../collateral/fetch-collateral.ts");
  const trustedRoots = named.length === 0 ? [INTEL_SGX_ROOT_KEY] : [...named];
  try {
    return { ...(await fetchCollateral(input, options, trustedRoots, output)), trustedRoots };
  } catch (error) {
    const unreadable =
      error instanceof SgxFormatError ||
      error instanceof VerifyError ||
      (error instanceof CollateralError && error.code === "PARAMETER");
    if (!unreadable) throw error;
    output.note(`warning: no collateral was asked for: ${printable(error.message)}`);
    return { ...NOTHING_TO_VERIFY, trustedRoots };
  }
}

function parseTime(text: string): Date {
  const seconds = /^\d+$/.test(text);
  const iso = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?$/.test(text);
  const date = seconds ? new Date(Number(text) * 1000) : new Date(iso ? text : Number.NaN);
  if (Number.isNaN(date.getTime())) {
    throw new CommandError(
      "CLI_USAGE",
      `--at takes a time, got "${text}"`,
      "Write 2026-01-31T12:00:00Z or seconds since 1970.",
    );
  }
  return date;
}
