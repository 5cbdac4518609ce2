import { aesmErrorName, quote3ErrorName, SGX_FORMAT_ERRORS, SgxFormatError } from "@confcom/sgx";
import { CommandError } from "./command-error.ts";
import { ExitCode, type ExitCodeValue } from "./exit-code.ts";
import { printable } from "./terminal/printable.ts";
import type { Style } from "./terminal/style.ts";

/** A failure as a person and a script read it: stable code, what happened, why, what to do next. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly causes: readonly string[];
  readonly nextStep?: string;
  readonly exitCode: ExitCodeValue;
  /** The AESM or DCAP code and name, where the failure has one. */
  readonly aesm?: string;
  readonly quote3?: string;
}

interface CodedError extends Error {
  code?: unknown;
  nextStep?: unknown;
  aesm?: unknown;
  quote3?: unknown;
}

/** Understands the error class of every package by its shape: `code`, `nextStep`, `aesm`, `quote3`, `cause`. */
export async function describeFailure(error: unknown): Promise<Failure> {
  if (!(error instanceof Error)) {
    return { code: "CLI_INTERNAL", message: String(error), causes: [], exitCode: ExitCode.INTERNAL };
  }
  const coded = error as CodedError;
  const aesm = typeof coded.aesm === "number" ? `${coded.aesm} ${aesmErrorName(coded.aesm)}` : undefined;
  const quote3 =
    typeof coded.quote3 === "number"
      ? `0x${coded.quote3.toString(16).toUpperCase()} ${quote3ErrorName(coded.quote3)}`
      : undefined;
  const code =
    typeof coded.code === "string" ? coded.code : error.name === "QuotingError" ? "QUOTING_REFUSED" : "CLI_INTERNAL";
  const nextStep = typeof coded.nextStep === "string" ? coded.nextStep : await nextStepOf(error, code);
  return {
    code,
    message: error.message,
    causes: causesOf(error),
    exitCode: exitCodeOf(error, code),
    ...(nextStep === undefined ? {} : { nextStep }),
    ...(aesm === undefined ? {} : { aesm }),
    ...(quote3 === undefined ? {} : { quote3 }),
  };
}

function causesOf(error: Error): string[] {
  const causes: string[] = [];
  let cause: unknown = error.cause;
  for (let depth = 0; cause !== undefined && depth < 8; depth++) {
    const text = cause instanceof Error ? cause.message : String(cause);
    if (![error.message, ...causes].some((said) => said.includes(text))) causes.push(text);
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return causes;
}

/** What the package's table says about the code. The tables are loaded only now: most runs never need them. */
async function nextStepOf(error: Error, code: string): Promise<string | undefined> {
  const table: Readonly<Record<string, string>> | undefined =
    error.name === "AesmError"
      ? (await import("@confcom/aesm")).AESM_ERROR_CODES
      : error.name === "VerifyError"
        ? (await import("@confcom/verify")).VERIFY_ERRORS
        : error instanceof SgxFormatError
          ? SGX_FORMAT_ERRORS
          : undefined;
  return table?.[code];
}

/** By what a script can do about it; everything else is what a source answered: refused. */
const COLLATERAL_EXIT_CODES: Readonly<Record<string, ExitCodeValue>> = {
  SOURCE_UNREACHABLE: ExitCode.UNAVAILABLE,
  SOURCE_TIMEOUT: ExitCode.UNAVAILABLE,
  SOURCE_BUSY: ExitCode.UNAVAILABLE,
  SOURCE_SUSPENDED: ExitCode.UNAVAILABLE,
  DEADLINE: ExitCode.UNAVAILABLE,
  STORE_UNREACHABLE: ExitCode.UNAVAILABLE,
  STORE_BUSY: ExitCode.UNAVAILABLE,
  PARAMETER: ExitCode.BAD_INPUT,
  NO_SOURCE: ExitCode.CONFIGURATION,
  CONFIGURATION: ExitCode.CONFIGURATION,
  CACHE_UNUSABLE: ExitCode.CONFIGURATION,
  SERVICE_CONFIGURATION: ExitCode.CONFIGURATION,
  STORE_DAMAGED: ExitCode.CONFIGURATION,
  STORE_VERSION: ExitCode.CONFIGURATION,
  STORE_FULL: ExitCode.CANNOT_CREATE,
  STORE_IO: ExitCode.CANNOT_CREATE,
};

/** What a script can do something about: somebody else is in the way, or patience. */
const ADDON_EXIT_CODES: Readonly<Record<string, ExitCodeValue>> = {
  ADDON_CONFLICT: ExitCode.REFUSED,
  ADDON_DISABLING: ExitCode.REFUSED,
  ADDON_ELSEWHERE: ExitCode.REFUSED,
  ADDON_IN_USE: ExitCode.REFUSED,
  ADDON_STATE_CHANGED: ExitCode.REFUSED,
  ADDON_NOT_READY: ExitCode.NEGATIVE,
};

const UNAVAILABLE = ["SERVICE_UNREACHABLE", "SERVICE_TIMEOUT"];

function exitCodeOf(error: Error, code: string): ExitCodeValue {
  if (error instanceof CommandError) return error.exitCode;
  if (error instanceof SgxFormatError || error.name === "VerifyError") return ExitCode.BAD_INPUT;
  if (error.name === "CollateralError") return COLLATERAL_EXIT_CODES[code] ?? ExitCode.REFUSED;
  if (error.name === "KubernetesError") return kubernetesExitCode(code);
  if (error.name === "PlatformError") return ExitCode.CONFIGURATION;
  if (error.name === "QuotingError" || error.name === "ProviderError") return ExitCode.REFUSED;
  if (error.name !== "AesmError") return ExitCode.INTERNAL;
  if (UNAVAILABLE.includes(code)) return ExitCode.UNAVAILABLE;
  if (code === "SOCKET_OWNED") return ExitCode.NEGATIVE;
  if (code.startsWith("WORKER_")) return ExitCode.INTERNAL;
  return code.startsWith("SOCKET_") ? ExitCode.CONFIGURATION : ExitCode.REFUSED;
}

function kubernetesExitCode(code: string): ExitCodeValue {
  if (code === "FOREIGN_DEVICE_PLUGIN") return ExitCode.REFUSED;
  if (code === "MANIFEST_VALUE") return ExitCode.BAD_INPUT;
  if (code === "API_SERVER_UNREACHABLE" || code === "API_SERVER_BUSY") return ExitCode.UNAVAILABLE;
  if (code.startsWith("API_SERVER_")) return ExitCode.REFUSED;
  if (code.startsWith("ADDON_")) return ADDON_EXIT_CODES[code] ?? ExitCode.CONFIGURATION;
  if (code === "SGX_CPUID") return ExitCode.CANNOT_CREATE;
  return code === "DEVICE_PLUGIN_INTERNAL" ? ExitCode.INTERNAL : ExitCode.CONFIGURATION;
}

/** The lines that a person sees on standard error. */
export function failureLines(failure: Failure, style: Style): string[] {
  const lines = [`${style.bad("error")} ${style.strong(failure.code)}: ${printable(failure.message)}`];
  if (failure.aesm !== undefined) lines.push(`  aesm   ${failure.aesm}`);
  if (failure.quote3 !== undefined) lines.push(`  quote3 ${failure.quote3}`);
  for (const cause of failure.causes) lines.push(`  cause  ${printable(cause)}`);
  if (failure.nextStep !== undefined) lines.push(`  next   ${printable(failure.nextStep)}`);
  return lines;
}
