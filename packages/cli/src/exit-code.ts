/** What the command's exit status means; documented in docs/command-line.md. */
export const ExitCode = {
  OK: 0,
  /** The answer is no: not ready, a report's MAC is invalid, verified but the policy is not met. */
  NEGATIVE: 1,
  /** The quote is not verified. */
  NOT_VERIFIED: 2,
  /** The command line is wrong. */
  USAGE: 64,
  /** An input file is missing or malformed. */
  BAD_INPUT: 65,
  /** A service (AESM, runtime) cannot be reached. */
  UNAVAILABLE: 69,
  /** A defect of confcom itself. */
  INTERNAL: 70,
  /** A file or directory cannot be created or written. */
  CANNOT_CREATE: 73,
  /** A service refused the request. */
  REFUSED: 76,
  /** The state directory or configuration cannot be used. */
  CONFIGURATION: 78,
} as const;

export type ExitCodeValue = (typeof ExitCode)[keyof typeof ExitCode];
