import { disableAddon } from "@confcom/kubernetes/addon";
import { ExitCode, type ExitCodeValue } from "../exit-code.ts";
import type { Output } from "../terminal/output.ts";
import { confirmed } from "./confirm.ts";
import { type LifeCycleFlags, lifeCycleCommand } from "./life-cycle-command.ts";

export interface DisableFlags extends LifeCycleFlags {
  force?: boolean;
  keepState?: boolean;
  yes?: boolean;
}

const LOSS =
  "The claim of the PCCS is deleted, and with it the root under which this cluster's quotes stand (--keep-state keeps both). Go on?";

/** `addon disable` and `disable-addons`. */
export function runDisable(flags: DisableFlags, output: Output): Promise<ExitCodeValue> {
  return lifeCycleCommand(flags, output, async ({ options, progress, print }) => {
    const ask = !flags.yes && !flags.dryRun && !flags.keepState;
    if (ask && !(await confirmed(LOSS))) return ExitCode.NEGATIVE;
    const { left, ...disabled } = await disableAddon({
      ...options,
      force: flags.force === true,
      keepState: flags.keepState === true,
      dryRun: flags.dryRun === true,
    });
    for (const { node, resources } of left) {
      progress.warning(`node ${node} still shows ${resources.join(", ")}; confcom addon disable takes it away later`);
    }
    await print({ ...disabled, more: flags.dryRun ? {} : { left }, row: {} });
    return ExitCode.OK;
  });
}
