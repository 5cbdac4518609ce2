import { readFileSync } from "node:fs";
import { parse, stringify } from "yaml";

interface Kubeconfig {
  clusters: { cluster: Record<string, unknown> }[];
  users: { user: Record<string, unknown> }[];
}

const FILES = ["certificate-authority", "client-certificate", "client-key"] as const;

/** A kubeconfig that needs no other file: readable wherever its text is; with a token, it is that token's holder's. */
export function portableKubeconfig(path: string, token?: string): string {
  const kubeconfig = parse(readFileSync(path, "utf8")) as Kubeconfig;
  if (token !== undefined) for (const entry of kubeconfig.users) entry.user = { token };
  for (const part of [
    ...kubeconfig.clusters.map((entry) => entry.cluster),
    ...kubeconfig.users.map((entry) => entry.user),
  ]) {
    for (const name of FILES) {
      const file = part[name];
      if (typeof file !== "string") continue;
      part[`${name}-data`] = readFileSync(file).toString("base64");
      delete part[name];
    }
  }
  return stringify(kubeconfig);
}
