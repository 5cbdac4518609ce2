import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { cgroupHierarchies } from "./cgroups.ts";
import { cgroupTree } from "./layout.ts";
import { livingClusters } from "./living-clusters.ts";
import { childrenOf, startTime } from "./namespaces.ts";

/** Sysctls that a node's programs write, on any machine that does not keep them away. */
export const WATCHED_SYSCTLS = [
  "vm/overcommit_memory",
  "vm/panic_on_oom",
  "kernel/panic",
  "kernel/panic_on_oops",
  "kernel/keys/root_maxkeys",
  "kernel/keys/root_maxbytes",
  "kernel/keys/maxkeys",
  "kernel/keys/maxbytes",
  "net/ipv4/ip_forward",
  "net/ipv4/conf/all/forwarding",
  "net/ipv4/conf/all/route_localnet",
  "net/ipv6/conf/all/forwarding",
  "net/bridge/bridge-nf-call-iptables",
  "net/bridge/bridge-nf-call-ip6tables",
  "net/netfilter/nf_conntrack_max",
  "net/netfilter/nf_conntrack_tcp_timeout_established",
  "net/netfilter/nf_conntrack_tcp_timeout_close_wait",
  "net/netfilter/nf_conntrack_tcp_be_liberal",
  "net/nf_conntrack_max",
  "fs/inotify/max_user_watches",
] as const;

/** What a cluster could leave on the machine, each kind as a set of lines. */
export interface MachineSnapshot {
  readonly mounts: readonly string[];
  readonly links: readonly string[];
  readonly addresses: readonly string[];
  readonly networkNamespaces: readonly string[];
  readonly cgroups: readonly string[];
  readonly sysctls: readonly string[];
  /** Programs that can belong to a cluster, and every process outside the first PID namespace. */
  readonly processes: readonly string[];
  /** Directories that a node's programs use at fixed places. */
  readonly paths: readonly string[];
}

const CLUSTER_PROGRAMS =
  /^(kube-apiserver|kube-controller|kube-scheduler|kube-proxy|kubelet|etcd|server|containerd|containerd-shim|runc|pause)/;

const CLUSTER_CGROUPS = /confcom-dev|kubepods|k8s|kubelet|containerd|system\.slice/;

const FIXED_PATHS = [
  "/etc/cni/net.d",
  "/etc/kubernetes",
  "/opt/kubernetes",
  "/run/cni",
  "/run/containerd",
  "/run/netns",
  "/run/flannel",
  "/run/aesmd",
  "/run/xtables.lock",
  "/usr/libexec/kubernetes",
  "/var/lib/cni",
  "/var/lib/containerd",
  "/var/lib/etcd",
  "/var/lib/kubelet",
  "/var/lib/sgx-fixture",
  "/var/log/containers",
  "/var/log/pods",
];

/** Looks at the machine that this process runs on. What belongs to living clusters in directories other than `directory` is left out. */
export function takeSnapshot(directory?: string): MachineSnapshot {
  const others = livingClusters().filter((cluster) => cluster.directory !== directory);
  const foreign = foreignNamespaces(others.map((cluster) => cluster.supervisor));
  const trees = others.map((cluster) => cgroupTree(cluster.name));
  return {
    mounts: mounts(),
    links: listOf("/sys/class/net"),
    addresses: localAddresses(),
    networkNamespaces: networkNamespaces(foreign),
    cgroups: cgroups(trees),
    sysctls: WATCHED_SYSCTLS.map((name) => `${name.replaceAll("/", ".")} = ${read(`/proc/sys/${name}`) ?? "absent"}`),
    processes: processes(foreign),
    paths: FIXED_PATHS.flatMap((path) => listOf(path).map((name) => `${path}/${name}`)),
  };
}

export interface Residue {
  readonly kind: keyof MachineSnapshot;
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/** What differs, kind by kind; empty when nothing does. Lines are compared as multisets. */
export function compareSnapshots(before: MachineSnapshot, after: MachineSnapshot): readonly Residue[] {
  return (Object.keys(before) as (keyof MachineSnapshot)[]).flatMap((kind) => {
    const added = without(after[kind], before[kind]);
    const removed = without(before[kind], after[kind]);
    return added.length === 0 && removed.length === 0 ? [] : [{ kind, added, removed }];
  });
}

/** One line per difference: `+` is there now, `-` was there before. */
export function residueLines(residue: readonly Residue[]): readonly string[] {
  return residue.flatMap(({ kind, added, removed }) => [
    `${kind}:`,
    ...added.map((line) => `  + ${line}`),
    ...removed.map((line) => `  - ${line}`),
  ]);
}

function without(lines: readonly string[], others: readonly string[]): readonly string[] {
  const left = new Map<string, number>();
  for (const line of others) left.set(line, (left.get(line) ?? 0) + 1);
  return lines.filter((line) => {
    const count = left.get(line) ?? 0;
    if (count > 0) left.set(line, count - 1);
    return count === 0;
  });
}

function mounts(): readonly string[] {
  // Numbers of mounts and devices differ from one mount to the next of the same thing; what and where does not.
  return linesOf("/proc/self/mountinfo").map((line) => {
    const [left = "", right = ""] = line.split(" - ");
    const fields = left.split(" ");
    return `${fields[4]} (${fields[3]} of ${right.split(" ").slice(0, 2).join(" ")})`;
  });
}

function localAddresses(): readonly string[] {
  const text = read("/proc/net/fib_trie") ?? "";
  const addresses = [...text.matchAll(/\|-- (\S+)\n\s+\/32 host LOCAL/g)].map((match) => match[1] as string);
  return [...new Set(addresses)].sort();
}

/** Network namespaces that a process of the machine is in. */
function networkNamespaces(foreign: ReadonlySet<string>): readonly string[] {
  const own = link("/proc/self/ns/net");
  const found = new Set<string>();
  for (const pid of processIds()) {
    const namespace = link(`/proc/${pid}/ns/net`);
    if (namespace !== undefined && namespace !== own && !foreign.has(namespace)) found.add(namespace);
  }
  return [...found].sort();
}

/** PID and network namespaces of the supervisors' descendants, other than this process's own. */
function foreignNamespaces(supervisors: readonly number[]): ReadonlySet<string> {
  const own = new Set(["pid", "net"].map((kind) => link(`/proc/self/ns/${kind}`)));
  const found = new Set<string>();
  const left = [...supervisors];
  for (let pid = left.pop(); pid !== undefined; pid = left.pop()) {
    for (const kind of ["pid", "net"]) {
      const namespace = link(`/proc/${pid}/ns/${kind}`);
      if (namespace !== undefined && !own.has(namespace)) found.add(namespace);
    }
    left.push(...childrenOf(pid));
  }
  return found;
}

/** Every hierarchy's first level, and everything below what Kubernetes or a container runtime may have made: the rest is the machine's own coming and going. */
function cgroups(ignored: readonly string[]): readonly string[] {
  const found: string[] = [];
  const walk = (path: string) => {
    for (const entry of entries(path)) {
      if (!entry.isDirectory()) continue;
      const child = join(path, entry.name);
      found.push(child);
      walk(child);
    }
  };
  for (const hierarchy of cgroupHierarchies()) {
    for (const entry of entries(hierarchy)) {
      if (!entry.isDirectory() || ignored.includes(entry.name)) continue;
      const top = join(hierarchy, entry.name);
      found.push(top);
      if (CLUSTER_CGROUPS.test(entry.name)) walk(top);
    }
  }
  return found.sort();
}

function processes(foreign: ReadonlySet<string>): readonly string[] {
  const own = link("/proc/self/ns/pid");
  return processIds().flatMap((pid) => {
    const name = read(`/proc/${pid}/comm`);
    const namespace = link(`/proc/${pid}/ns/pid`);
    if (name === undefined || namespace === undefined || startTime(pid) === undefined) return [];
    if (foreign.has(namespace)) return [];
    const elsewhere = namespace !== own;
    return elsewhere || CLUSTER_PROGRAMS.test(name) ? [`${name} (process ${pid})`] : [];
  });
}

function processIds(): readonly number[] {
  return listOf("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function listOf(path: string): readonly string[] {
  return entries(path)
    .map((entry) => entry.name)
    .sort();
}

function entries(path: string) {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch {
    return [];
  }
}

function linesOf(path: string): readonly string[] {
  return (read(path) ?? "").split("\n").filter((line) => line !== "");
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return undefined;
  }
}

function link(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
