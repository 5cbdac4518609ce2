import { ADDON_NAME, listAddons, showAddon } from "@confcom/kubernetes/addon";
import { ExitCode, type ExitCodeValue } from "../exit-code.ts";
import type { Output } from "../terminal/output.ts";
import { checkAddonNames } from "./addon-names.ts";
import { type OutputFormat, outputFormat, printResult } from "./addon-output.ts";
import { withAzureErrors } from "./azure-errors.ts";
import type { ClusterFlags } from "./cluster-flags.ts";
import { configText } from "./life-cycle-rows.ts";
import { openCluster } from "./open-cluster.ts";

/** `addon list`. */
export function runList(flags: ClusterFlags, output: Output): Promise<ExitCodeValue> {
  return withAzureErrors(flags, output, async () => {
    const cluster = await openCluster(flags);
    try {
      const addons = await listAddons(cluster.access, flags.namespace);
      const rows = addons.map(({ name, enabled }) => ({ name, enabled }));
      await printResult(addons, rows, outputFormat(flags), output);
      return ExitCode.OK;
    } finally {
      cluster.close();
    }
  });
}

/** `addon show`. */
export function runShow(flags: ClusterFlags & { addon: string }, output: Output): Promise<ExitCodeValue> {
  return withAzureErrors(flags, output, async () => {
    checkAddonNames(flags.addon);
    const cluster = await openCluster(flags);
    try {
      const shown = await showAddon(cluster.access, flags.namespace);
      const { name, api_key, config, identity } = shown;
      await printResult(shown, [{ name, api_key, config: configText(config), identity }], outputFormat(flags), output);
      return ExitCode.OK;
    } finally {
      cluster.close();
    }
  });
}

/** `addon list-available`: known without a cluster. */
export async function runListAvailable(
  flags: { json?: boolean; output?: OutputFormat },
  output: Output,
): Promise<ExitCodeValue> {
  const description =
    "SGX device plugin, webhook and admission policies; with --enable-sgxquotehelper also quote helpers under one root";
  const addons = [{ name: ADDON_NAME, description }];
  await printResult(addons, addons, outputFormat(flags), output);
  return ExitCode.OK;
}
