import type { ExitCodeValue } from "./exit-code.ts";
import { ExitCode } from "./exit-code.ts";

/** Every failure that the command line itself finds; those of the packages keep their own codes. */
export const CLI_ERRORS = {
  CLI_USAGE: "The command line is wrong. `confcom COMMAND --help` shows what it takes.",
  CLI_INPUT_UNREADABLE: "An input file cannot be read. Check the path and its permissions.",
  CLI_INPUT_MALFORMED: "An input is not what the command needs. The message says which bytes or fields are wrong.",
  CLI_OUTPUT_UNWRITABLE: "An output file cannot be written. Check the path, its permissions and the space left.",
  CLI_CONFIGURATION: "The configuration file is wrong. The message names the key.",
  CLI_ROOT_UNTRUSTED:
    "The quote's certificates end in a root that is not trusted, so no collateral was asked for. Name the root with --trust-root if it is to be trusted.",
  CLI_QE_REPORT:
    "The quoting enclave's own report does not match nonce and quote. Somebody else may answer on the socket.",
  CLI_QUOTE_HELPER_FAILED: "A quote helper that the command started did not become ready. Its own message is shown.",
} as const;

export type CliErrorCode = keyof typeof CLI_ERRORS;

/** A failure with a stable code, the way out, and the exit status it means. */
export class CommandError extends Error {
  readonly code: CliErrorCode;
  readonly nextStep: string;
  readonly exitCode: ExitCodeValue;

  constructor(
    code: CliErrorCode,
    message: string,
    nextStep: string,
    options?: { exitCode?: ExitCodeValue; cause?: unknown },
  ) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.name = "CommandError";
    this.code = code;
    this.nextStep = nextStep;
    this.exitCode = options?.exitCode ?? (code === "CLI_USAGE" ? ExitCode.USAGE : ExitCode.BAD_INPUT);
  }
}
