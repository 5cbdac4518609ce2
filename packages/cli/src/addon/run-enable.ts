import { ADDON_KEY, type Enabled, enableAddon, findState, QUOTE_HELPER_SETTING } from "@confcom/kubernetes/addon";
import { ExitCode, type ExitCodeValue } from "../exit-code.ts";
import { SYSTEM_CLOCK } from "../system-clock.ts";
import type { Output } from "../terminal/output.ts";
import { parseInteger } from "../usage-error.ts";
import { VERSION } from "../version.ts";
import { checkAddonNames } from "./addon-names.ts";
import { printResult } from "./addon-output.ts";
import { withAzureErrors } from "./azure-errors.ts";
import type { ClusterFlags } from "./cluster-flags.ts";
import { givenValues, pccsTrust, type ValueFlags } from "./given-values.ts";
import { changeRows, configText, countActions } from "./life-cycle-rows.ts";
import { openCluster } from "./open-cluster.ts";
import { ProgressLines } from "./progress-lines.ts";

export interface EnableFlags extends ClusterFlags, ValueFlags {
  addon: string;
  enableSgxquotehelper?: boolean;
  resetValues?: boolean;
  forceConflicts?: boolean;
  dryRun?: boolean;
  wait: boolean;
  timeout: string;
}

/** `addon enable`, `addon update` and `enable-addons`. */
export function runEnable(verb: "enable" | "update", flags: EnableFlags, output: Output): Promise<ExitCodeValue> {
  return withAzureErrors(flags, output, async () => {
    checkAddonNames(flags.addon);
    const timeoutMs = parseInteger(flags.timeout, "--timeout", 1, 86_400) * 1000;
    const values = await givenValues(flags);
    const trust = pccsTrust(flags);
    const cluster = await openCluster(flags);
    const progress = new ProgressLines(output, () => SYSTEM_CLOCK.now(), flags.onlyShowErrors === true);
    const quoteHelper = flags.enableSgxquotehelper === true;
    try {
      if (verb === "update" && !quoteHelper) await warnOfHelper(cluster.access, flags, progress);
      const enabled = await enableAddon({
        access: cluster.access,
        clock: SYSTEM_CLOCK,
        progress,
        version: VERSION,
        verb,
        quoteHelper,
        values,
        trust,
        registry: flags.registry,
        namespace: flags.namespace,
        resetValues: flags.resetValues === true,
        forceConflicts: flags.forceConflicts === true,
        dryRun: flags.dryRun === true,
        wait: flags.wait,
        timeoutMs,
      });
      await printEnabled(enabled, cluster.name, flags, progress, output);
      return ExitCode.OK;
    } finally {
      progress.abandon();
      cluster.close();
    }
  });
}

/** As with az the flag counts, not what was there: a flag that was forgotten takes the quote helpers away. */
async function warnOfHelper(
  access: Parameters<typeof findState>[0],
  { namespace }: EnableFlags,
  progress: ProgressLines,
): Promise<void> {
  const state = await findState(access, namespace);
  if (state?.profile.config?.[QUOTE_HELPER_SETTING] !== "true") return;
  progress.warning(
    "without --enable-sgxquotehelper this update switches the quote helper off, as az aks addon update does",
  );
}

async function printEnabled(
  { profile, namespace, previousVersion, objects }: Enabled,
  cluster: string,
  flags: EnableFlags,
  progress: ProgressLines,
  output: Output,
): Promise<void> {
  const { seconds, steps } = progress.finish();
  const dryRun = flags.dryRun === true;
  const result = {
    addonProfiles: { [ADDON_KEY]: profile },
    name: cluster,
    resourceGroup: flags.resourceGroup ?? null,
    confcom: {
      version: VERSION,
      previousVersion,
      namespace,
      ...(dryRun ? { dryRun, objects } : { objects: countActions(objects), seconds, steps }),
    },
  };
  const summary = [
    { name: "confcom", api_key: ADDON_KEY, enabled: profile.enabled, config: configText(profile.config) },
  ];
  await printResult(result, dryRun ? changeRows(objects) : summary, flags.json ? "json" : flags.output, output);
}
