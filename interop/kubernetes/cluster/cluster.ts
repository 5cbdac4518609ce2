import type { ChildProcess } from "node:child_process";

/** A machine to start as a worker node. */
export interface NodeOptions {
  readonly name: string;
  /** Gives the node the two SGX character devices and an EPC of this size in its fixture; without it the node has neither. */
  readonly sgx?: { readonly epcMiB: number; readonly numaNodes?: 1 | 2 };
  readonly labels?: Readonly<Record<string, string>>;
  /** False: its kubelet knows no DNS server, and pods with the policy ClusterFirst cause the event MissingClusterDNS. */
  readonly clusterDns?: boolean;
}

export interface ClusterOptions {
  /** Lower-case letters, digits and dashes; names the cgroup trees, so two clusters of different names may run side by side. */
  readonly name: string;
  /** Everything that the cluster writes is below this directory; `down` leaves only `logs/`. */
  readonly directory: string;
  /** Holds kube-apiserver, kube-controller-manager, kube-scheduler, kube-proxy, kubelet, kubectl and etcd (or `server`). */
  readonly binaries: string;
  /** OCI or docker archive of `localhost/pause:1`. */
  readonly pauseImage: string;
  /** The program that answers for names of Services (`ensureDnsProgram`); without it no kubelet knows a DNS server. */
  readonly dnsProgram?: string;
  /** `NAME=true,...` for the API server, the controller manager, the scheduler and kubelets. */
  readonly featureGates?: string;
  readonly nodes: readonly NodeOptions[];
  log(line: string): void;
}

export interface Finished {
  readonly stdout: string;
  readonly stderr: string;
  /** Exit status; 128 + signal number when a signal ended the program. */
  readonly status: number;
}

export interface RunOptions {
  readonly input?: string | Uint8Array;
  /** 60,000 unless given. */
  readonly timeoutMs?: number;
  /** A status other than 0 is thrown as a `ClusterError` unless this is set. */
  readonly allowFailure?: boolean;
}

/** For programs of this machine that talk to the cluster. */
export interface BesideOptions extends RunOptions {
  /** Added to this process's; directories in PATH come before the cluster's own. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * One program that the cluster keeps, started, watched and logged by itself. As under systemd, one that ends by itself is
 * started again a second later; one that was ended through these functions stays down until `start`.
 */
export interface Service {
  /** The program's process id as the machine outside sees it; 0 when it is not running. */
  pid(): number;
  /** SIGTERM, and SIGKILL after 20 s. */
  stop(): Promise<void>;
  /** The API server counts as started when it is ready, containerd when it answers, the others when they run. */
  start(): Promise<void>;
  restart(): Promise<void>;
  kill9(): Promise<void>;
  rssKiB(): number;
  /** Everything that the program wrote so far, at most the last 16 MiB. */
  log(): string;
}

export type SgxDeviceName = "sgx_enclave" | "sgx_provision";

/** What stands in for SGX hardware on a node. */
export interface SgxFixture {
  /** Spreads `total` over the node's NUMA nodes; 0 is a machine whose firmware reserved nothing. */
  setEpcMiB(total: number): void;
  removeDevice(name: SgxDeviceName): void;
  addDevice(name: SgxDeviceName): void;
  /** Stands in for /sys/devices/system/node; a path inside the node. */
  readonly sysfsNodeDirectory: string;
}

export interface ClusterNode {
  readonly name: string;
  readonly address: string;
  /** Runs a program in the node's namespaces, as if by ssh. */
  exec(argv: readonly string[], options?: RunOptions): Promise<Finished>;
  /** The same for a program that stays; stdin, stdout and stderr are pipes. End it with `kill` on the given process. */
  spawn(argv: readonly string[]): ChildProcess;
  readonly kubelet: Service;
  readonly containerd: Service;
  readonly kubeProxy: Service;
  readonly fixture: SgxFixture;
}

export interface Cluster {
  readonly name: string;
  readonly directory: string;
  /** Works from inside any of the cluster's network namespaces. */
  readonly kubeconfig: string;
  kubectl(args: readonly string[], options?: RunOptions): Promise<Finished>;
  /** Runs a program of this machine in the control plane's network, with kubectl on PATH and KUBECONFIG set to the administrator's. */
  runBeside(argv: readonly string[], options?: BesideOptions): Promise<Finished>;
  /** The same for a program that stays or is to be killed: stdin, stdout and stderr are pipes, `kill` reaches the program itself. */
  spawnBeside(argv: readonly string[], options?: Pick<BesideOptions, "env">): ChildProcess;
  /** `kubectl get ARGS -o json`, parsed. */
  get<T>(args: readonly string[]): Promise<T>;
  apply(yaml: string): Promise<void>;
  /** OCI or docker archive → containerd of the named nodes (all unless given), namespace k8s.io. */
  loadImage(archive: string, nodes?: readonly string[]): Promise<void>;
  addNode(options: NodeOptions): Promise<ClusterNode>;
  node(name: string): ClusterNode;
  nodes(): readonly ClusterNode[];
  readonly apiServer: Service;
  readonly controlPlane: Readonly<Record<"etcd" | "controllerManager" | "scheduler" | "dns", Service>>;
  readonly timeline: readonly { readonly step: string; readonly ms: number }[];
  down(): Promise<void>;
}
