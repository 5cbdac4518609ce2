import { statSync } from "node:fs";
import { messageOf } from "@confcom/collateral";
import type { EffectiveConfiguration } from "@confcom/collateral/configuration";
import { CommandError } from "../command-error.ts";

/**
 * A directory that the command line names must be there: it will not come while a command tries again. One that a file of the
 * machine names may be a mount that is missing now, and another source may have the answer. Throws CLI_INPUT_UNREADABLE.
 */
export function assertSourceDirectories({ sources }: Pick<EffectiveConfiguration, "sources">): void {
  for (const { value, from } of sources) {
    if (value.kind !== "directory" || from.kind !== "flag") continue;
    try {
      statSync(value.place);
    } catch (error) {
      throw new CommandError(
        "CLI_INPUT_UNREADABLE",
        `cannot read the collateral of ${from.name} ${value.place}: ${messageOf(error)}`,
        "Check the path and its permissions.",
        { cause: error },
      );
    }
  }
}
