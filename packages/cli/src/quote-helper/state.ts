import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
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
  if (!existsSync(join(path, "fuses.json"))) {
    throw new CommandError(
      "CLI_INPUT_UNREADABLE",
      `${path} holds no software platform`,
      "Start `confcom quote-helper --state DIR` once to make one, or check the path.",
      { exitCode: ExitCode.CONFIGURATION },
    );
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
