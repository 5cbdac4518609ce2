import { setTimeout as sleep } from "node:timers/promises";
import {
  type AddonStatus,
  addonStatus,
  connectByKubeconfig,
  findState,
  HttpClusterAccess,
  type KubeconfigConnection,
  statusAccess,
  takeSnapshot,
} from "@confcom/kubernetes/addon";
import { ExitCode, type ExitCodeValue } from "../exit-code.ts";
import type { Output } from "../terminal/output.ts";
import { usage } from "../usage-error.ts";
import { printResult } from "./addon-output.ts";
import type { StatusFlags } from "./status-command.ts";
import { statusLines } from "./status-lines.ts";

/** Where the add-on is, unless somebody said otherwise. */
const USUAL_NAMESPACE = "kube-system";

/** Seconds between two looks of `--watch`. */
const INTERVAL = 10;

/** Prints what a cluster's add-on is like. NEGATIVE where a problem is an error. */
export async function runStatus(flags: StatusFlags, output: Output): Promise<ExitCodeValue> {
  const { name, context, kubeconfig, query, watch } = flags;
  if (query !== undefined) throw usage("--query is of az and is not supported here; take JSON and use jq", "addon");
  if (name !== undefined && context !== undefined && name !== context) {
    throw usage("--name and --context are two names for one thing and differ", "addon");
  }
  const connection = await connectByKubeconfig({ kubeconfig, context: context ?? name });
  try {
    const namespace = flags.namespace ?? (await installedIn(connection));
    for (;;) {
      const status = await look(connection, namespace, flags.node);
      if (flags.node !== undefined && status.nodes.length === 0) throw usage(`there is no node ${flags.node}`, "addon");
      await print(status, flags, output);
      if (watch === undefined) return status.healthy ? ExitCode.OK : ExitCode.NEGATIVE;
      await sleep((watch === true ? INTERVAL : watch) * 1000);
      if (flags.output === "table") output.line();
    }
  } finally {
    connection.close();
  }
}

async function look(connection: KubeconfigConnection, namespace: string, node?: string): Promise<AddonStatus> {
  const options = { namespace, now: Date.now(), ...(node === undefined ? {} : { node }) };
  return addonStatus(await takeSnapshot(statusAccess(connection), options));
}

/** What `addon enable` wrote down; without that, or without the right to read it, the usual place. */
async function installedIn(connection: KubeconfigConnection): Promise<string> {
  const found = await findState(new HttpClusterAccess(connection), undefined).catch((error: unknown) => {
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

async function print(status: AddonStatus, { json, output: format }: StatusFlags, output: Output): Promise<void> {
  if (json) return output.json(status);
  if (format !== "table") return printResult(status, [], format, output);
  for (const line of statusLines(status, output.style)) output.line(line);
}
