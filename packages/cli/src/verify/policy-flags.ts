import { ALLOWABLE_RESULTS, type AllowableResult, type Policy, type PolicyFailure } from "@confcom/verify";
import type { Command } from "commander";
import { readSizedArgument } from "../input/sized-argument.ts";
import { parseInteger, usage } from "../usage-error.ts";

/** What the command line says of the policy, in the spelling of commander. */
export interface PolicyFlags {
  allow: string[];
  allowExpired?: boolean;
  allowDebug?: boolean;
  mrenclave: string[];
  mrsigner: string[];
  isvProdId?: string;
  minIsvSvn?: string;
  reportData?: string;
}

const repeat = (value: string, all: string[]) => [...all, value];

/** Adds the policy's options to a command. */
export function addPolicyFlags(command: Command): Command {
  return command
    .option(
      "--allow <result>",
      `also accept this result (may be repeated): ${ALLOWABLE_RESULTS.join(", ")}`,
      repeat,
      [],
    )
    .option("--allow-expired", "accept collateral outside its validity")
    .option("--allow-debug", "accept debug enclaves and TDs, which keep no secrets")
    .option("--mrenclave <hex>", "require this MRENCLAVE (may be repeated: any of them)", repeat, [])
    .option("--mrsigner <hex>", "require this MRSIGNER (may be repeated: any of them)", repeat, [])
    .option("--isv-prod-id <number>", "require this product id")
    .option("--min-isv-svn <number>", "require at least this security version")
    .option("--report-data <hex|file>", "require this report data, zero padded to 64 bytes");
}

/** The policy that the flags describe: strict where they say nothing. A root named on purpose may be a software one. */
export function policyFrom(flags: PolicyFlags, rootWasNamed: boolean): Policy {
  const sgx = {
    ...(flags.mrenclave.length === 0
      ? {}
      : { mrEnclave: flags.mrenclave.map((hex) => readSizedArgument(hex, 32, "MRENCLAVE")) }),
    ...(flags.mrsigner.length === 0
      ? {}
      : { mrSigner: flags.mrsigner.map((hex) => readSizedArgument(hex, 32, "MRSIGNER")) }),
    ...(flags.isvProdId === undefined ? {} : { isvProdId: parseInteger(flags.isvProdId, "--isv-prod-id", 0, 0xffff) }),
    ...(flags.minIsvSvn === undefined
      ? {}
      : { minimumIsvSvn: parseInteger(flags.minIsvSvn, "--min-isv-svn", 0, 0xffff) }),
  };
  return {
    allowedResults: ["OK", ...flags.allow.map(allowable)],
    allowedPlatforms: rootWasNamed ? ["hardware", "other", "software"] : ["hardware"],
    allowExpiredCollateral: flags.allowExpired === true,
    allowDebug: flags.allowDebug === true,
    ...(flags.reportData === undefined
      ? {}
      : { reportData: readSizedArgument(flags.reportData, 64, "the report data", true) }),
    ...(Object.keys(sgx).length === 0 ? {} : { sgx }),
  };
}

function allowable(text: string): AllowableResult {
  const result = ALLOWABLE_RESULTS.find((known) => known === text.toUpperCase());
  if (result === undefined)
    throw usage(`--allow takes one of ${ALLOWABLE_RESULTS.join(", ")}, got "${text}"`, "verify");
  return result;
}

/** The flag with which a person could have the quote accepted all the same; nothing for measurements. */
export function flagFor(failure: PolicyFailure): string | undefined {
  switch (failure.rule) {
    case "allowedResults":
      return `--allow ${failure.found}`;
    case "allowExpiredCollateral":
      return "--allow-expired";
    case "allowDebug":
      return "--allow-debug";
    case "allowedPlatforms":
      return "--trust-root ROOT.pem";
    default:
      return undefined;
  }
}
