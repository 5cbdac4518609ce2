import { ADDON_KEY, type Disabled, disableAddon } from "@confcom/kubernetes/addon";
import { ExitCode, type ExitCodeValue } from "../exit-code.ts";
import { SYSTEM_CLOCK } from "../system-clock.ts";
import type { Output } from "../terminal/output.ts";
import { parseInteger } from "../usage-error.ts";
import { VERSION } from "../version.ts";
import { checkAddonNames } from "./addon-names.ts";
import { printResult } from "./addon-output.ts";
import { withAzureErrors } from "./azure-errors.ts";
import type { ClusterFlags } from "./cluster-flags.ts";
import { confirmed } from "./confirm.ts";
import { changeRows, countActions } from "./life-cycle-rows.ts";
import { openCluster } from "./open-cluster.ts";
import { ProgressLines } from "./progress-lines.ts";

export interface DisableFlags extends ClusterFlags {
  addon: string;
  force?: boolean;
  keepState?: boolean;
  yes?: boolean;
  dryRun?: boolean;
  wait: boolean;
  timeout: string;
}

const LOSS =
  "The claim of the PCCS is deleted, and with it the root under which this cluster's quotes stand (--keep-state keeps both). Go on?";

/** `addon disable` and `disable-addons`. */
export function runDisable(flags: DisableFlags, output: Output): Promise<ExitCodeValue> {
  return withAzureErrors(flags, output, async () => {
    checkAddonNames(flags.addon);
    const timeoutMs = parseInteger(flags.timeout, "--timeout", 1, 86_400) * 1000;
    const cluster = await openCluster(flags);
    const progress = new ProgressLines(output, () => SYSTEM_CLOCK.now(), flags.onlyShowErrors === true);
    const ask = !flags.yes && !flags.dryRun && !flags.keepState;
    try {
      if (ask && !(await confirmed(LOSS))) return ExitCode.NEGATIVE;
      const disabled = await disableAddon({
        access: cluster.access,
        clock: SYSTEM_CLOCK,
        progress,
        version: VERSION,
        namespace: flags.namespace,
        force: flags.force === true,
        keepState: flags.keepState === true,
        dryRun: flags.dryRun === true,
        wait: flags.wait,
        timeoutMs,
      });
      await printDisabled(disabled, cluster.name, flags, progress, output);
      return ExitCode.OK;
    } finally {
      progress.abandon();
      cluster.close();
    }
  });
}

async function printDisabled(
  { profile, namespace, objects, left }: Disabled,
  cluster: string,
  flags: DisableFlags,
  progress: ProgressLines,
  output: Output,
): Promise<void> {
  const { seconds, steps } = progress.finish();
  const dryRun = flags.dryRun === true;
  for (const { node, resources } of left) {
    progress.warning(`node ${node} still shows ${resources.join(", ")}; confcom addon disable takes it away later`);
  }
  const result = {
    addonProfiles: { [ADDON_KEY]: profile },
    name: cluster,
    resourceGroup: flags.resourceGroup ?? null,
    confcom: {
      version: VERSION,
      namespace,
      ...(dryRun ? { dryRun, objects } : { objects: countActions(objects), left, seconds, steps }),
    },
  };
  const summary = [{ name: "confcom", api_key: ADDON_KEY, enabled: profile.enabled }];
  await printResult(result, dryRun ? changeRows(objects) : summary, flags.json ? "json" : flags.output, output);
}
