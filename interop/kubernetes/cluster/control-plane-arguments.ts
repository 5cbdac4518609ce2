import { CONTROL_PLANE, MACHINE_PATHS, NETWORK } from "./layout.ts";

/** One program of the control plane: how it is called, what it is told. Paths are those that the control plane's machine sees. */
export interface ProgramArguments {
  readonly service: string;
  /** File names under which the directory of binaries may hold it. */
  readonly program: readonly string[];
  readonly args: readonly string[];
}

const PKI = `${MACHINE_PATHS.configuration}/pki`;
const ETCD_CLIENT = "http://127.0.0.1:2379";
const ETCD_PEER = "http://127.0.0.1:2380";

/** Loopback of a network namespace of its own keeps etcd from everybody else. What it holds need not survive the machine, so it does not wait for the disk. */
export const ETCD: ProgramArguments = {
  service: `${CONTROL_PLANE}/etcd`,
  program: ["etcd", "server"],
  args: [
    "--name=etcd",
    "--data-dir=/var/lib/etcd",
    `--listen-client-urls=${ETCD_CLIENT}`,
    `--advertise-client-urls=${ETCD_CLIENT}`,
    `--listen-peer-urls=${ETCD_PEER}`,
    `--initial-advertise-peer-urls=${ETCD_PEER}`,
    `--initial-cluster=etcd=${ETCD_PEER}`,
    "--unsafe-no-fsync",
    "--log-level=warn",
  ],
};

export const API_SERVER: ProgramArguments = {
  service: `${CONTROL_PLANE}/kube-apiserver`,
  program: ["kube-apiserver"],
  args: [
    `--etcd-servers=${ETCD_CLIENT}`,
    `--advertise-address=${NETWORK.controlPlane}`,
    "--bind-address=0.0.0.0",
    `--secure-port=${NETWORK.apiServerPort}`,
    `--service-cluster-ip-range=${NETWORK.services}`,
    `--client-ca-file=${PKI}/ca.crt`,
    `--tls-cert-file=${PKI}/apiserver.crt`,
    `--tls-private-key-file=${PKI}/apiserver.key`,
    "--authorization-mode=Node,RBAC",
    "--enable-admission-plugins=NodeRestriction",
    "--allow-privileged=true",
    "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
    `--service-account-key-file=${PKI}/service-accounts.pub`,
    `--service-account-signing-key-file=${PKI}/service-accounts.key`,
    `--kubelet-client-certificate=${PKI}/apiserver-kubelet-client.crt`,
    `--kubelet-client-key=${PKI}/apiserver-kubelet-client.key`,
    `--kubelet-certificate-authority=${PKI}/ca.crt`,
    "--kubelet-preferred-address-types=InternalIP",
    // The control plane runs no kube-proxy: webhooks are called at their pods' addresses instead of their Service's.
    "--enable-aggregator-routing=true",
    "--event-ttl=1h",
    // Watches are told to end when it stops; otherwise it waits a minute for them.
    "--shutdown-watch-termination-grace-period=1s",
    "--profiling=false",
  ],
};

export const CONTROLLER_MANAGER: ProgramArguments = {
  service: `${CONTROL_PLANE}/kube-controller-manager`,
  program: ["kube-controller-manager"],
  args: [
    `--kubeconfig=${MACHINE_PATHS.configuration}/controller-manager.conf`,
    `--root-ca-file=${PKI}/ca.crt`,
    `--service-account-private-key-file=${PKI}/service-accounts.key`,
    "--use-service-account-credentials=true",
    // At 20 requests per second, the default, its controllers take six seconds to start.
    "--kube-api-qps=200",
    "--kube-api-burst=400",
    "--leader-elect=false",
    "--profiling=false",
  ],
};

export const SCHEDULER: ProgramArguments = {
  service: `${CONTROL_PLANE}/kube-scheduler`,
  program: ["kube-scheduler"],
  args: [`--kubeconfig=${MACHINE_PATHS.configuration}/scheduler.conf`, "--leader-elect=false", "--profiling=false"],
};
