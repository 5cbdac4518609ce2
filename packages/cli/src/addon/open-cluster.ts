import process from "node:process";
import {
  type ClusterAccess,
  connectByKubeconfig,
  HttpClusterAccess,
  type KubeconfigConnection,
} from "@confcom/kubernetes/addon";
import { SYSTEM_CLOCK } from "../system-clock.ts";
import { usage } from "../usage-error.ts";
import type { ClusterFlags } from "./cluster-flags.ts";

export interface OpenCluster {
  readonly connection: KubeconfigConnection;
  readonly access: ClusterAccess;
  /** The name of its context. */
  readonly name: string;
  close(): void;
}

/** The cluster that the flags name. Throws CommandError `CLI_USAGE` and KubernetesError `KUBECONFIG_UNUSABLE`. */
export async function openCluster({ name, context, kubeconfig, query }: ClusterFlags): Promise<OpenCluster> {
  if (query !== undefined) throw usage("--query is of az and is not supported here; take JSON and use jq", "addon");
  if (name !== undefined && context !== undefined && name !== context) {
    throw usage("--name and --context are two names for one thing and differ", "addon");
  }
  const connection = await connectByKubeconfig({
    kubeconfig,
    context: context ?? name,
    environment: process.env,
    now: SYSTEM_CLOCK.now,
    terminal: process.stdin.isTTY === true && process.stderr.isTTY === true,
  });
  return {
    connection,
    access: new HttpClusterAccess(connection),
    name: connection.clusterName,
    close: () => connection.close(),
  };
}
