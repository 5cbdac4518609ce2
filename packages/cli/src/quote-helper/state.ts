import { randomBytes } from "node:crypto";
import { statSync } from "node:fs";
import { join } from "node:path";
import { nodeFileSystem, StateDirectory, type StateWarning } from "@confcom/quoting";
import { openFuses, type ReportSecrets } from "@confcom/quoting/software";
import { CommandError } from "../command-error.ts";
import { ExitCode } from "../exit-code.ts";

export const systemRandom = (size: number): Uint8Array => new Uint8Array(randomBytes(size));

/** Opens (and makes, if need be) a state directory on the real file system. */
export function openState(path: string, warn: StateWarning): StateDirectory {
  return StateDirectory.open(path, nodeFileSystem, warn);
}

/** Opens a state directory that must hold a platform already. Throws CommandError `CLI_INPUT_UNREADABLE`. */
export function openExistingState(path: string, warn: StateWarning): StateDirectory {
  const refuse = (message: string, nextStep: string, cause: unknown) =>
    new CommandError("CLI_INPUT_UNREADABLE", message, nextStep, { exitCode: ExitCode.CONFIGURATION, cause });
  try {
    statSync(join(path, "fuses.json"));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") {
      const nextStep = "Start `confcom quote-helper --state DIR` once to make one, or check the path.";
      throw refuse(`${path} holds no software platform`, nextStep, error);
    }
    throw refuse(`${path} cannot be looked into (${code})`, "Run as the user the state directory belongs to.", error);
  }
  return openState(path, warn);
}

/** The REPORT key material of a state directory's CPU: public constants, or secret in the private profile. */
export function readReportSecrets(path: string): ReportSecrets {
  return openFuses(
    openExistingState(path, () => {}),
    undefined,
    systemRandom,
  );
}
