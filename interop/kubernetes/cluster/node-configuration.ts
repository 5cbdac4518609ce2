import type { NodeOptions } from "./cluster.ts";
import type { ProgramArguments } from "./control-plane-arguments.ts";
import { MACHINE_PATHS, NETWORK } from "./layout.ts";

/** What a node's programs read and how they are called. Paths are those that the node sees. */
export interface NodePlan {
  readonly options: NodeOptions;
  readonly address: string;
  readonly podRange: string;
  readonly cgroupRoot: string;
  /** Whether pods are told the cluster's DNS server. */
  readonly dns: boolean;
}

const PKI = `${MACHINE_PATHS.configuration}/pki`;

const PAUSE_IMAGE = "localhost/pause:1";

/** Files below /etc/kubernetes (the kubeconfigs and certificates come with them). */
export function nodeFiles(plan: NodePlan): Readonly<Record<string, string>> {
  return {
    "kubelet.yaml": JSON.stringify(kubeletConfiguration(plan), null, 2),
    "kube-proxy.yaml": JSON.stringify(kubeProxyConfiguration(plan), null, 2),
    "containerd.toml": containerdConfiguration(),
    "cni/10-bridge.conflist": JSON.stringify(cniConfiguration(plan), null, 2),
  };
}

function kubeletConfiguration(plan: NodePlan): object {
  return {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    address: "0.0.0.0",
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: `${PKI}/ca.crt` },
    },
    authorization: { mode: "Webhook" },
    tlsCertFile: `${PKI}/kubelet-server.crt`,
    tlsPrivateKeyFile: `${PKI}/kubelet-server.key`,
    containerRuntimeEndpoint: `unix://${MACHINE_PATHS.containerdSocket}`,
    cgroupDriver: "cgroupfs",
    cgroupRoot: plan.cgroupRoot,
    failSwapOn: false,
    failCgroupV1: false,
    // Without CAP_SYS_RESOURCE nobody may lower a score.
    oomScoreAdj: 0,
    // Half of the default: tests wait for what the kubelet tells the API server.
    nodeStatusUpdateFrequency: "5s",
    // The disk and the memory are everybody's: their fill level is not the node's doing.
    evictionHard: {
      "memory.available": "0%",
      "nodefs.available": "0%",
      "nodefs.inodesFree": "0%",
      "imagefs.available": "0%",
      "imagefs.inodesFree": "0%",
    },
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
    serializeImagePulls: false,
    resolvConf: "/etc/resolv.conf",
    clusterDomain: NETWORK.domain,
    ...(plan.dns ? { clusterDNS: [NETWORK.dnsService] } : {}),
    enableServer: true,
  };
}

function kubeProxyConfiguration(plan: NodePlan): object {
  const untouched = { maxPerCore: 0, min: 0, tcpEstablishedTimeout: "0s", tcpCloseWaitTimeout: "0s" };
  return {
    apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
    kind: "KubeProxyConfiguration",
    mode: "iptables",
    hostnameOverride: plan.options.name,
    clientConnection: { kubeconfig: `${MACHINE_PATHS.configuration}/kube-proxy.conf` },
    clusterCIDR: NETWORK.pods,
    conntrack: untouched,
    oomScoreAdj: 0,
    nodePortAddresses: ["primary"],
    iptables: { localhostNodePorts: false },
    metricsBindAddress: "127.0.0.1:10249",
  };
}

function containerdConfiguration(): string {
  return `version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
oom_score = 0
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
  "io.containerd.tracing.processor.v1.otlp",
  "io.containerd.internal.v1.tracing",
]

[grpc]
  address = "${MACHINE_PATHS.containerdSocket}"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${PAUSE_IMAGE}"
  # Pods of critical priority ask for a score below the container runtime's own, which needs CAP_SYS_RESOURCE.
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${MACHINE_PATHS.cniConfiguration}"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
`;
}

function cniConfiguration(plan: NodePlan): object {
  return {
    cniVersion: "0.4.0",
    name: "pods",
    plugins: [
      {
        type: "bridge",
        bridge: "cni0",
        isGateway: true,
        ipMasq: false,
        ipam: {
          type: "host-local",
          ranges: [[{ subnet: plan.podRange }]],
          routes: [{ dst: "0.0.0.0/0" }],
          dataDir: "/run/cni",
        },
      },
    ],
  };
}

export function containerdArguments(node: string): ProgramArguments {
  return {
    service: `${node}/containerd`,
    program: ["/usr/bin/containerd"],
    args: ["--config", `${MACHINE_PATHS.configuration}/containerd.toml`],
  };
}

export function kubeletArguments(plan: NodePlan): ProgramArguments {
  const labels = Object.entries(plan.options.labels ?? {}).map(([key, value]) => `${key}=${value}`);
  return {
    service: `${plan.options.name}/kubelet`,
    program: ["kubelet"],
    args: [
      `--config=${MACHINE_PATHS.configuration}/kubelet.yaml`,
      `--kubeconfig=${MACHINE_PATHS.configuration}/kubelet.conf`,
      `--hostname-override=${plan.options.name}`,
      `--node-ip=${plan.address}`,
      ...(labels.length === 0 ? [] : [`--node-labels=${labels.join(",")}`]),
    ],
  };
}

export function kubeProxyArguments(node: string): ProgramArguments {
  return {
    service: `${node}/kube-proxy`,
    program: ["kube-proxy"],
    args: [`--config=${MACHINE_PATHS.configuration}/kube-proxy.yaml`],
  };
}
