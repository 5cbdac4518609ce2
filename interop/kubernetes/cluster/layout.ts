import { join } from "node:path";

/** Addresses inside the cluster's own network namespaces; nothing of them is visible outside. */
export const NETWORK = {
  gateway: "10.10.0.1",
  prefixLength: 24,
  controlPlane: "10.10.0.2",
  pods: "10.244.0.0/16",
  services: "10.96.0.0/16",
  /** Of the Service `kube-dns`, which kubelets tell pods. */
  dnsService: "10.96.0.10",
  domain: "cluster.local",
  /** First address of the service range: the Service `kubernetes`. */
  apiServerService: "10.96.0.1",
  apiServerPort: 6443,
} as const;

export const CONTROL_PLANE = "control-plane";

/** Most workers that the address plan has room for. */
export const MAXIMUM_NODES = 200;

export function nodeAddress(index: number): string {
  return `10.10.0.${11 + index}`;
}

export function podRange(index: number): string {
  return `10.244.${1 + index}.0/24`;
}

/** Where a machine (worker or control plane) sees its files. */
export const MACHINE_PATHS = {
  binaries: "/opt/kubernetes/bin",
  configuration: "/etc/kubernetes",
  cniConfiguration: "/etc/cni/net.d",
  containerdSocket: "/run/containerd/containerd.sock",
  /** Stands in for /sys/devices/system/node. */
  sysfsNode: "/var/lib/sgx-fixture/devices/system/node",
} as const;

/** Where things are in the cluster's directory. */
export interface ClusterLayout {
  readonly directory: string;
  readonly options: string;
  readonly state: string;
  readonly control: string;
  readonly pki: string;
  readonly kubeconfig: string;
  readonly logs: string;
  readonly machines: string;
  log(service: string): string;
  machine(name: string): MachineLayout;
}

export interface MachineLayout {
  readonly directory: string;
  readonly upper: string;
  readonly work: string;
  readonly root: string;
  /** Becomes /var/lib: a real directory, because overlayfs cannot be stacked on an overlay's upper directory. */
  readonly varLib: string;
  /** Becomes /etc/kubernetes. */
  readonly configuration: string;
  /** Stands in for the sysctls that the node's programs write. */
  readonly sysctls: string;
  readonly sysfsNode: string;
}

export function clusterLayout(directory: string): ClusterLayout {
  const machines = join(directory, "machines");
  const logs = join(directory, "logs");
  return {
    directory,
    options: join(directory, "options.json"),
    state: join(directory, "state.json"),
    control: join(directory, "control.sock"),
    pki: join(directory, "pki"),
    kubeconfig: join(directory, "kubeconfig"),
    logs,
    machines,
    log: (service) => join(logs, `${service}.log`),
    machine: (name) => {
      const root = join(machines, name);
      const varLib = join(root, "var-lib");
      return {
        directory: root,
        upper: join(root, "upper"),
        work: join(root, "work"),
        root: join(root, "root"),
        varLib,
        configuration: join(root, "etc-kubernetes"),
        sysctls: join(root, "sysctls"),
        sysfsNode: join(varLib, "sgx-fixture/devices/system/node"),
      };
    },
  };
}

/** A cluster's cgroup tree in every hierarchy; each node's `--cgroup-root` is one level below. */
export function cgroupTree(clusterName: string): string {
  return `confcom-dev-${clusterName}`;
}

export function nodeCgroupRoot(clusterName: string, node: string): string {
  return `/${cgroupTree(clusterName)}/${node}`;
}
