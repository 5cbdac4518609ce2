import { type ClusterAccess, enableAddon, findState, QUOTE_HELPER_SETTING } from "@confcom/kubernetes/addon";
import { ExitCode, type ExitCodeValue } from "../exit-code.ts";
import type { Output } from "../terminal/output.ts";
import { givenValues, pccsTrust, type ValueFlags } from "./given-values.ts";
import { type LifeCycleFlags, lifeCycleCommand } from "./life-cycle-command.ts";
import { configText } from "./life-cycle-rows.ts";
import type { ProgressLines } from "./progress-lines.ts";

export interface EnableFlags extends LifeCycleFlags, ValueFlags {
  enableSgxquotehelper?: boolean;
  resetValues?: boolean;
  forceConflicts?: boolean;
}

/** `addon enable`, `addon update` and `enable-addons`. */
export function runEnable(verb: "enable" | "update", flags: EnableFlags, output: Output): Promise<ExitCodeValue> {
  return lifeCycleCommand(flags, output, async ({ options, progress, print }) => {
    const values = await givenValues(flags);
    const trust = pccsTrust(flags);
    const quoteHelper = flags.enableSgxquotehelper === true;
    if (verb === "update" && !quoteHelper) await warnOfHelper(options.access, flags, progress);
    const { previousVersion, capableNodes, ...enabled } = await enableAddon({
      ...options,
      verb,
      quoteHelper,
      values,
      trust,
      registry: flags.registry,
      resetValues: flags.resetValues === true,
      forceConflicts: flags.forceConflicts === true,
      dryRun: flags.dryRun === true,
    });
    await print({ ...enabled, more: { previousVersion }, row: { config: configText(enabled.profile.config) } });
    // Every pod is ready, and yet nobody can ask for EPC or a quote.
    if (capableNodes === 0)
      progress.warning("no node has SGX that can be used: confcom addon status says what was found");
    return ExitCode.OK;
  });
}

/** As with az the flag counts, not what was there: a flag that was forgotten takes the quote helpers away. */
async function warnOfHelper(access: ClusterAccess, { namespace }: EnableFlags, progress: ProgressLines): Promise<void> {
  const state = await findState(access, namespace);
  if (state?.profile.config?.[QUOTE_HELPER_SETTING] !== "true") return;
  progress.warning(
    "without --enable-sgxquotehelper this update switches the quote helper off, as az aks addon update does",
  );
}
