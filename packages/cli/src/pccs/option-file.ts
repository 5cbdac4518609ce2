import { readFileSync } from "node:fs";
import { CommandError } from "../command-error.ts";
import { ExitCode } from "../exit-code.ts";

/** The text of a file that an option names, as `read` takes it. What fails, there or here, says which option and file. */
export function optionFile(option: string, path: string): string;
export function optionFile<T>(option: string, path: string, read: (text: string) => T): T;
export function optionFile(option: string, path: string, read: (text: string) => unknown = (text) => text): unknown {
  try {
    return read(readFileSync(path, "utf8"));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CommandError(
      "CLI_CONFIGURATION",
      `${option} ${path}: ${why}`,
      `Name a file that can be used, or leave ${option} out.`,
      {
        exitCode: ExitCode.CONFIGURATION,
        cause: error,
      },
    );
  }
}
