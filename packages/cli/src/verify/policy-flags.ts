import { fromHex } from "@confcom/sgx";
import {
  ALLOWABLE_PLATFORMS,
  ALLOWABLE_RESULTS,
  type EnclavePolicy,
  type Policy,
  parsePolicy,
  type TdPolicy,
} from "@confcom/verify";
import type { Command } from "commander";
import { readInput } from "../input/read-input.ts";
import { readSizedArgument } from "../input/sized-argument.ts";
import { parseInteger, parseU16, usage } from "../usage-error.ts";

/** What the command line says of the policy, in the spelling of commander. */
export interface PolicyFlags {
  policy?: string;
  allow?: string[];
  allowPlatform?: string[];
  allowExpired?: boolean;
  allowDebug?: boolean;
  tolerateAdvisory?: string[];
  maxCollateralAge?: string;
  minTcbEval?: string;
  minQeSvn?: string;
  minPceSvn?: string;
  mrenclave?: string[];
  mrsigner?: string[];
  isvProdId?: string;
  minIsvSvn?: string;
  mrtd?: string[];
  rtmr?: string[];
  reportData?: string;
  reportDataSha256?: string;
}

const repeat = (value: string, all: readonly string[] = []) => [...all, value];

/** Adds the policy's options to a command. */
export function addPolicyFlags(command: Command): Command {
  return command
    .option("--policy <file>", "what is wanted of the quote, as JSON; the flags below win over it")
    .option("--allow <result>", `also accept this result (may be repeated): ${ALLOWABLE_RESULTS.join(", ")}`, repeat)
    .option(
      "--allow-platform <kind>",
      `also accept this kind of platform (may be repeated): ${ALLOWABLE_PLATFORMS.join(", ")}`,
      repeat,
    )
    .option("--allow-expired", "accept collateral outside its validity")
    .option("--allow-debug", "accept debug enclaves and TDs, which keep no secrets")
    .option("--tolerate-advisory <id>", "tolerate this advisory and no others (may be repeated)", repeat)
    .option("--max-collateral-age <seconds>", "require collateral issued at most so long ago")
    .option("--min-tcb-eval <number>", "require at least this TCB evaluation data number")
    .option("--min-qe-svn <number>", "require at least this ISVSVN of the quoting enclave")
    .option("--min-pce-svn <number>", "require at least this PCESVN")
    .option("--mrenclave <hex>", "require this MRENCLAVE (may be repeated: any of them)", repeat)
    .option("--mrsigner <hex>", "require this MRSIGNER (may be repeated: any of them)", repeat)
    .option("--isv-prod-id <number>", "require this product id")
    .option("--min-isv-svn <number>", "require at least this security version")
    .option("--mrtd <hex>", "require this MRTD (may be repeated: any of them)", repeat)
    .option("--rtmr <n=hex>", "require this value of RTMR n, 0 to 3 (may be repeated: all of them)", repeat)
    .option("--report-data <hex|file>", "require this report data, zero padded to 64 bytes")
    .option("--report-data-sha256 <file>", "require the SHA-256 of this file as report data, zero padded");
}

/** Reads a policy from a file. Throws CommandError, or VerifyError `POLICY`. */
function readPolicyFile(path: string): Policy {
  return parsePolicy(new TextDecoder().decode(readInput(path, "the policy")));
}

function measurement(text: string, size: number, option: string): Uint8Array {
  const digits = text.replace(/^0x/i, "");
  if (!/^[0-9a-f]*$/i.test(digits) || digits.length !== size * 2) {
    throw usage(`${option} takes ${size * 2} hexadecimal digits, got "${text}"`, "verify");
  }
  return fromHex(digits);
}

function measurements(values: readonly string[] | undefined, size: number, option: string): Uint8Array[] | undefined {
  return values?.map((value) => measurement(value, size, option));
}

function enclavePolicy(flags: PolicyFlags): EnclavePolicy {
  const { isvProdId, minIsvSvn } = flags;
  const mrEnclave = measurements(flags.mrenclave, 32, "--mrenclave");
  const mrSigner = measurements(flags.mrsigner, 32, "--mrsigner");
  return {
    ...(mrEnclave === undefined ? {} : { mrEnclave }),
    ...(mrSigner === undefined ? {} : { mrSigner }),
    ...(isvProdId === undefined ? {} : { isvProdId: parseU16(isvProdId, "--isv-prod-id") }),
    ...(minIsvSvn === undefined ? {} : { minimumIsvSvn: parseU16(minIsvSvn, "--min-isv-svn") }),
  };
}

function tdPolicy(flags: PolicyFlags, file: TdPolicy | undefined): TdPolicy {
  const mrTd = measurements(flags.mrtd, 48, "--mrtd");
  const rtmr: (Uint8Array | undefined)[] = [0, 1, 2, 3].map((n) => file?.rtmr?.[n]);
  for (const text of flags.rtmr ?? []) {
    const [, n, value] = /^([0-3])=(.+)$/.exec(text) ?? [];
    if (n === undefined || value === undefined)
      throw usage(`--rtmr takes n=hex with n from 0 to 3, got "${text}"`, "verify");
    rtmr[Number(n)] = measurement(value, 48, `--rtmr ${n}=`);
  }
  return { ...(mrTd === undefined ? {} : { mrTd }), ...(flags.rtmr === undefined ? {} : { rtmr }) };
}

/** What the flags say beyond the lists that add to the file's. */
function requirements(flags: PolicyFlags): Policy {
  const number = (text: string | undefined, option: string, maximum: number) =>
    text === undefined ? undefined : parseInteger(text, option, 0, maximum);
  const age = number(flags.maxCollateralAge, "--max-collateral-age", Number.MAX_SAFE_INTEGER);
  const evaluation = number(flags.minTcbEval, "--min-tcb-eval", 0xffffffff);
  const qeSvn = number(flags.minQeSvn, "--min-qe-svn", 0xffff);
  const pceSvn = number(flags.minPceSvn, "--min-pce-svn", 0xffff);
  const { reportData, reportDataSha256 } = flags;
  return {
    ...(flags.allowExpired === true ? { allowExpiredCollateral: true } : {}),
    ...(flags.allowDebug === true ? { allowDebug: true } : {}),
    ...(age === undefined ? {} : { maximumCollateralAge: age }),
    ...(evaluation === undefined ? {} : { minimumTcbEvaluationDataNumber: evaluation }),
    ...(qeSvn === undefined ? {} : { minimumQeIsvSvn: qeSvn }),
    ...(pceSvn === undefined ? {} : { minimumPceSvn: pceSvn }),
    ...(reportData === undefined ? {} : { reportData: readSizedArgument(reportData, 64, "the report data", true) }),
    ...(reportDataSha256 === undefined
      ? {}
      : {
          reportDataHashOf: {
            algorithm: "sha256" as const,
            bytes: readInput(reportDataSha256, "what the report data is the SHA-256 of"),
          },
        }),
  };
}

/**
 * The policy of file and flags: strict where neither says anything. A flag that requires something replaces what the file
 * says of it; a flag that allows something adds to it. A root named on purpose may be a software platform's.
 */
export function policyFrom(flags: PolicyFlags, rootWasNamed: boolean): Policy {
  const file = flags.policy === undefined ? {} : readPolicyFile(flags.policy);
  const sgx = { ...file.sgx, ...enclavePolicy(flags) };
  const td = { ...file.td, ...tdPolicy(flags, file.td) };
  const wantsSgx = file.sgx !== undefined || Object.keys(sgx).length > 0;
  const wantsTd = file.td !== undefined || Object.keys(td).length > 0;
  if (wantsSgx && wantsTd) throw usage("the policy wants an SGX enclave and a TD at once", "verify");
  const platforms = file.allowedPlatforms ?? (rootWasNamed ? ALLOWABLE_PLATFORMS : ["hardware"]);
  const advisories = [...(file.toleratedAdvisories ?? []), ...(flags.tolerateAdvisory ?? [])];
  return {
    ...file,
    ...requirements(flags),
    allowedResults: [
      ...(file.allowedResults ?? ["OK"]),
      ...(flags.allow ?? []).map((text) => oneOf(text.toUpperCase(), ALLOWABLE_RESULTS, "--allow")),
    ],
    allowedPlatforms: [
      ...platforms,
      ...(flags.allowPlatform ?? []).map((text) => oneOf(text, ALLOWABLE_PLATFORMS, "--allow-platform")),
    ],
    ...(file.toleratedAdvisories === undefined && flags.tolerateAdvisory === undefined
      ? {}
      : { toleratedAdvisories: advisories }),
    ...(wantsSgx ? { sgx } : {}),
    ...(wantsTd ? { td } : {}),
  };
}

function oneOf<T extends string>(text: string, known: readonly T[], option: string): T {
  const found = known.find((one) => one === text);
  if (found === undefined) throw usage(`${option} takes one of ${known.join(", ")}, got "${text}"`, "verify");
  return found;
}
