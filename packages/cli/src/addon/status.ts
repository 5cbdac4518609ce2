import { setTimeout as sleep } from "node:timers/promises";
import {
  type AddonStatus,
  addonStatus,
  findState,
  statusAccess,
  takeSnapshot,
  USUAL_NAMESPACE,
} from "@confcom/kubernetes/addon";
import { ExitCode } from "../exit-code.ts";
import type { Output } from "../terminal/output.ts";
import { usage } from "../usage-error.ts";
import { outputFormat, printResult } from "./addon-output.ts";
import type { ClusterFlags } from "./cluster-flags.ts";
import { type OpenCluster, openCluster } from "./open-cluster.ts";
import type { Exit } from "./register-life-cycle.ts";
import { statusLines } from "./status-lines.ts";

/** Seconds between two looks of `--watch`. */
const INTERVAL = 10;

export interface StatusFlags extends ClusterFlags {
  node?: string;
  watch?: number | true;
}

/**
 * Prints what a cluster's add-on is like. The exit status, NEGATIVE where a problem is an error, is left before anything is
 * printed: it holds although nobody reads on.
 */
export async function runStatus(flags: StatusFlags, output: Output, exit: Exit): Promise<void> {
  const { watch } = flags;
  const format = outputFormat(flags, "table");
  const cluster = await openCluster(flags);
  try {
    const namespace = flags.namespace ?? (await installedIn(cluster));
    for (;;) {
      const status = await look(cluster, namespace, flags.node);
      if (flags.node !== undefined && status.nodes.length === 0) throw usage(`there is no node ${flags.node}`, "addon");
      exit(status.healthy ? ExitCode.OK : ExitCode.NEGATIVE);
      if (format === "table") for (const line of statusLines(status, output.style)) output.line(line);
      else await printResult(status, [], format, output);
      if (watch === undefined) return;
      await sleep((watch === true ? INTERVAL : watch) * 1000);
      if (format === "table") output.line();
    }
  } finally {
    cluster.close();
  }
}

async function look({ connection }: OpenCluster, namespace: string, node?: string): Promise<AddonStatus> {
  const options = { namespace, now: Date.now(), ...(node === undefined ? {} : { node }) };
  return addonStatus(await takeSnapshot(statusAccess(connection), options));
}

/** What `addon enable` wrote down; without that, or without the right to read it, the usual place. */
async function installedIn({ access }: OpenCluster): Promise<string> {
  const found = await findState(access, undefined).catch((error: unknown) => {
    if (isRefusal(error)) return undefined;
    throw error;
  });
  return found?.namespace ?? USUAL_NAMESPACE;
}

/** The API server answered, or what it gave is of no use; only a server that is not there ends the command. */
function isRefusal(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "API_SERVER_FORBIDDEN" || code === "ADDON_STATE_NEWER" || code === "ADDON_STATE_MALFORMED";
}
