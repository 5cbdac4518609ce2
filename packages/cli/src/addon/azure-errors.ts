import { ExitCode, type ExitCodeValue } from "../exit-code.ts";
import type { Output } from "../terminal/output.ts";
import { printable } from "../terminal/printable.ts";
import { isWriteFailure } from "../terminal/write-failure.ts";
import type { ClusterFlags } from "./cluster-flags.ts";

/** What scripts of `az aks` know: its words after `ERROR:`, and 1 (spec: Kubernetes §4.2). */
const AZURE_CODES: ReadonlySet<string> = new Set([
  "ADDON_NAME_UNKNOWN",
  "ADDON_ENABLED",
  "ADDON_NOT_ENABLED",
  "ADDON_NOT_INSTALLED",
]);

/** Runs a command; what `az` has words for is said in them, everything else is thrown on. */
export async function withAzureErrors(
  flags: ClusterFlags,
  output: Output,
  run: () => Promise<ExitCodeValue>,
): Promise<ExitCodeValue> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof Error && "code" in error && AZURE_CODES.has(String(error.code)))) throw error;
    try {
      output.note(`ERROR: ${printable(error.message)}${error.code === "ADDON_ENABLED" ? `\n${wayOut(flags)}` : ""}`);
    } catch (unsaid) {
      if (!isWriteFailure(unsaid)) throw unsaid;
    }
    return ExitCode.NEGATIVE;
  }
}

/** The first line is az's. Here disabling costs the root of the cluster's quotes, so there is a second. */
function wayOut({ name, resourceGroup }: ClusterFlags): string {
  const cluster = `${name === undefined ? "" : ` -n ${name}`}${resourceGroup === undefined ? "" : ` -g ${resourceGroup}`}`;
  return `To change confcom configuration, run "confcom disable-addons -a confcom${cluster}" before enabling it again.
To change it as it runs, and keep the root of its quotes, run "confcom addon update -a confcom${cluster}", with --enable-sgxquotehelper where quote helpers are to stay.`;
}
