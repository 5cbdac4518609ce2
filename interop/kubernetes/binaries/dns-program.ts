import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type ClusterBinaries, type EnsureBinariesOptions, ensureBinaries } from "./cluster-binaries.ts";

/** A module of its own: CoreDNS wants other versions of the libraries that Kubernetes, etcd and helm share. */
const DNS_MODULE = fileURLToPath(new URL("../dns", import.meta.url));

export interface DnsProgram extends ClusterBinaries {
  readonly file: string;
}

/** The cluster's DNS server (CoreDNS with the plugins of `dns/main.go`), built and kept as the cluster's other programs are. */
export async function ensureDnsProgram(options: Omit<EnsureBinariesOptions, "moduleDirectory">): Promise<DnsProgram> {
  const binaries = await ensureBinaries({ ...options, moduleDirectory: DNS_MODULE });
  return { ...binaries, file: join(binaries.directory, "coredns") };
}
