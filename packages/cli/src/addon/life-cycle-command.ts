import { ADDON_KEY, type AddonProfile, type LifeCycleOptions, type ObjectChange } from "@confcom/kubernetes/addon";
import type { ExitCodeValue } from "../exit-code.ts";
import { SYSTEM_CLOCK } from "../system-clock.ts";
import type { Output } from "../terminal/output.ts";
import { parseInteger } from "../usage-error.ts";
import { VERSION } from "../version.ts";
import { checkAddonNames } from "./addon-names.ts";
import { type OutputFormat, outputFormat, printResult, type TableRow } from "./addon-output.ts";
import { withAzureErrors } from "./azure-errors.ts";
import type { ClusterFlags } from "./cluster-flags.ts";
import { changeRows, countActions } from "./life-cycle-rows.ts";
import { openCluster } from "./open-cluster.ts";
import { ProgressLines } from "./progress-lines.ts";

/** Flags of every command that changes a cluster. */
export interface LifeCycleFlags extends ClusterFlags {
  addon: string;
  dryRun?: boolean;
  wait: boolean;
  timeout: string;
}

/** A command on its cluster. */
export interface LifeCycleRun {
  readonly options: LifeCycleOptions;
  readonly progress: ProgressLines;
  /** Prints what was done. */
  print(done: LifeCycleResult): Promise<void>;
}

export interface LifeCycleResult {
  readonly profile: AddonProfile;
  readonly namespace: string;
  readonly objects: readonly ObjectChange[];
  /** What else `confcom` holds in the result. */
  readonly more: Readonly<Record<string, unknown>>;
  /** What a table says; a dry run's has the objects. */
  readonly row: TableRow;
}

/** Checks the flags before anything else, opens the cluster, runs, and closes it. */
export function lifeCycleCommand(
  flags: LifeCycleFlags,
  output: Output,
  run: (command: LifeCycleRun) => Promise<ExitCodeValue>,
): Promise<ExitCodeValue> {
  return withAzureErrors(flags, output, async () => {
    checkAddonNames(flags.addon);
    const timeoutMs = parseInteger(flags.timeout, "--timeout", 1, 86_400) * 1000;
    const format = outputFormat(flags);
    const { access, name, close } = await openCluster(flags);
    const progress = new ProgressLines(output, () => SYSTEM_CLOCK.now(), flags.onlyShowErrors === true);
    const { namespace, wait } = flags;
    const options = { access, clock: SYSTEM_CLOCK, progress, version: VERSION, namespace, wait, timeoutMs };
    const print = (done: LifeCycleResult) => printDone(done, name, flags, format, progress, output);
    try {
      return await run({ options, progress, print });
    } finally {
      progress.abandon();
      close();
    }
  });
}

function printDone(
  { profile, namespace, objects, more, row }: LifeCycleResult,
  cluster: string,
  flags: LifeCycleFlags,
  format: OutputFormat,
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
      namespace,
      ...more,
      ...(dryRun ? { dryRun, objects } : { objects: countActions(objects), seconds, steps }),
    },
  };
  const rows = dryRun
    ? changeRows(objects)
    : [{ name: "confcom", api_key: ADDON_KEY, enabled: profile.enabled, ...row }];
  return printResult(result, rows, format, output);
}
