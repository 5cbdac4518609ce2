/** "error": something does not work; "warning": it will not, or not as somebody expects. */
export type Severity = "error" | "warning";

interface ProblemRow {
  readonly severity: Severity;
  /** What it means, for the table in docs/troubleshooting.md. */
  readonly means: string;
  readonly remedy: string;
}

/** Every problem that `confcom addon status` names. Codes are never given another meaning. */
export const ADDON_PROBLEMS = {
  ADDON_MISSING: {
    severity: "error",
    means: "the namespace has no DaemonSet sgx-plugin: nothing offers EPC",
    remedy: "enable the add-on (confcom addon enable -a confcom), or name its namespace with --namespace",
  },
  ADDON_INTERRUPTED: {
    severity: "warning",
    means: "enabling or disabling the add-on has begun and not ended: it is under way, or was interrupted",
    remedy: "run the same command again: it goes on where it stopped",
  },
  STATUS_INCOMPLETE: {
    severity: "warning",
    means: "something of the cluster could not be read, so that problems in it are not known",
    remedy: "run the command as somebody who may list it",
  },
  DAEMON_UNREADABLE: {
    severity: "warning",
    means: "a daemon of the add-on runs, and its /status could not be read through the API server",
    remedy: "look at the pod's log; check that the API server reaches pods and that you may use pods/proxy",
  },
  DAEMON_PROBLEM: {
    severity: "warning",
    means: "a daemon of the add-on reports something itself that has no row of its own here",
    remedy: "docs/errors.md explains the code that it names",
  },
  HELPER_OFF: {
    severity: "error",
    means: "a pod asks for quotes from the node's helper, and the quote helper is switched off in this cluster",
    remedy:
      "switch it on: confcom addon update -a confcom --enable-sgxquotehelper; or give the pod a sidecar aesmd, or sgx.intel.com/provision for in-process quotes",
  },
  HELPER_NOT_ON_NODE: {
    severity: "error",
    means: "a pod asks for quotes from the node's helper, and no helper runs on its node",
    remedy:
      "look at the node's line in this status and at its other problems; a pod that asks for sgx.confcom.dev/quote: 1 is only scheduled to nodes that have a helper",
  },
  POD_NOT_READY: {
    severity: "warning",
    means: "a pod of the add-on is not ready, and none of the other problems says why",
    remedy: "kubectl describe pod, kubectl logs; a pod that has just started needs some seconds",
  },
  POD_PENDING: {
    severity: "error",
    means: "the scheduler finds no place for a pod of the add-on",
    remedy: "make room for it: end pods that hold EPC, cpu or memory on the node, or lower quoteHelper.epcMiB",
  },
  CRASH_LOOP: {
    severity: "error",
    means: "a container of the add-on ends again and again",
    remedy: "kubectl logs --previous says why; docs/errors.md explains the code in it",
  },
  IMAGE_PULL: {
    severity: "error",
    means: "the image of a pod of the add-on cannot be pulled",
    remedy:
      "set image to a name that the nodes can pull, and imagePullSecrets; a name that begins with localhost/ must be loaded on every node",
  },
  SOCKET_FILE_MOUNTED: {
    severity: "error",
    means: "a container mounts the AESM socket's file: it loses the helper at the helper's next start",
    remedy:
      "mount the directory /var/run/aesmd at /var/run/aesmd, or ask for sgx.confcom.dev/quote: 1 and mount nothing",
  },
  AESM_DIRECTORY_TYPE: {
    severity: "error",
    means:
      "a pod mounts the AESM directory of the host as something that is no directory; the kubelet does not start it",
    remedy: "hostPath type DirectoryOrCreate, or Directory, or none",
  },
  AESM_DIRECTORY_EMPTY: {
    severity: "error",
    means: "a container has a directory of its own at /var/run/aesmd, in which no AESM service makes a socket",
    remedy:
      "mount the host's directory (hostPath /var/run/aesmd), or ask for sgx.confcom.dev/quote: 1 and mount nothing",
  },
  OPT_IN_WITHOUT_SOCKET: {
    severity: "error",
    means: "a container asks for out-of-process quotes and has neither a quote slot nor the AESM directory",
    remedy:
      "ask for sgx.confcom.dev/quote: 1, or mount hostPath /var/run/aesmd; the webhook adds it to pods that are made while it answers",
  },
  NOT_COMPLETED: {
    severity: "warning",
    means:
      "a pod went past the webhook and lacks what it would have been given: the provisioning slot of its annotation, the variable beside its mount, or the EPC annotation of a virtual machine runtime",
    remedy: "make the pod again while the webhook answers, or write out what the cause names",
  },
  TWO_AESMS_ON_NODE: {
    severity: "error",
    means: "two AESM services share one node's socket directory: quotes come from whichever was started last",
    remedy: "remove the other one: stop the node's own aesmd, or delete the other DaemonSet",
  },
  SIDECAR_AND_HELPER: {
    severity: "error",
    means: "a pod with an AESM sidecar has a quote slot too: both want /var/run/aesmd",
    remedy: "take the quote slot away, or the sidecar",
  },
  BOTH_MODES: {
    severity: "error",
    means: "a container asks for in-process quoting (sgx.intel.com/provision) and for the quote helper",
    remedy: "choose one: quotes of an application come from one of the two, never both",
  },
  DEVICE_MISSING: {
    severity: "error",
    means:
      "a node that should have SGX has no enclave device under any known name: gone, renamed, or its driver is not loaded",
    remedy:
      'look at "ls -l /dev/sgx*" and "dmesg | grep sgx" on the node; a new kernel or node image may have another driver',
  },
  DEVICE_UNUSABLE: {
    severity: "error",
    means:
      "what has the name of an SGX device is no character device, a link that leads nowhere, or cannot be looked at",
    remedy: "remove what is in its place (often a directory that a container runtime made) and load the driver again",
  },
  DEVICE_RIGHTS: {
    severity: "warning",
    means: "containers whose user is not root cannot open the SGX device",
    remedy: "let a udev rule give it mode 0666, or add its group to the pods' supplementalGroups",
  },
  DRIVER_EPID: {
    severity: "error",
    means: "a node has only the legacy EPID driver (/dev/isgx), which cannot make DCAP quotes",
    remedy: "use Linux 5.11 or newer, or the DCAP driver",
  },
  PROVISION_DEVICE_MISSING: {
    severity: "error",
    means: "a node has an enclave device and no provisioning device: enclaves run, quotes do not",
    remedy: "load a driver that makes /dev/sgx_provision; Linux 5.11 or newer does",
  },
  EPC_UNKNOWN: {
    severity: "error",
    means: "a node has the enclave device, and nothing tells how much EPC it has, so that none is offered",
    remedy:
      "set the value sysfsNodeDirectory, miscCapacityFile or cpuidInit to what the node has, or epcMiB: confcom addon update -a confcom --enable-sgxquotehelper --set epcMiB=MIB",
  },
  EPC_LIST_TOO_LARGE: {
    severity: "error",
    means: "a node's EPC does not fit into the 4 MiB of devices that a kubelet takes, and counter mode is excluded",
    remedy: "set the value mode to auto or counter, or numa to false",
  },
  EPC_OVERCOMMITTED: {
    severity: "warning",
    means: "containers of a node hold more EPC than it now has",
    remedy: "end some of the pods that hold EPC there",
  },
  KUBELET_REGISTRATION: {
    severity: "error",
    means: "a plugin's resources are not registered with the kubelet of its node",
    remedy: "look at the kubelet's log on the node, and at its device-plugin directory",
  },
  TWO_PLUGINS: {
    severity: "error",
    means: "another SGX device plugin runs on a node, and owns our resources or fights for them",
    remedy: "remove one of the two: the other vendor's DaemonSet, or ours on these nodes with nodeSelector or affinity",
  },
  COUNTER_CONTESTED: {
    severity: "warning",
    means: "somebody else keeps changing a node's EPC counter",
    remedy:
      "for five minutes after a plugin stopped that is the kubelet; otherwise remove the other EPC counter (a NodeFeatureRule, Intel's operator)",
  },
  TAINT_NOT_TOLERATED: {
    severity: "error",
    means: "an SGX node has a taint that the add-on does not tolerate, as spot pools do: no pod of it runs there",
    remedy: "add the taint to the value tolerations, which replaces the default list",
  },
  PLUGIN_NOT_ON_NODE: {
    severity: "error",
    means: "a node looks like an SGX node and has no plugin, though it has no taint against it",
    remedy: "check the values nodeSelector and affinity, and the label kubernetes.io/os",
  },
  NODE_STATUS_CUT_OFF: {
    severity: "error",
    means: "node-status of a node does not reach the API server: labels, counters and events of the node grow old",
    remedy: "allow egress from the pod to the API server: firewall, NetworkPolicy, the service kubernetes.default",
  },
  NODE_STATUS_REFUSED: {
    severity: "error",
    means: "the API server refuses what node-status of a node wants to read or write",
    remedy:
      "apply the add-on's roles, bindings and admission policies again: confcom addon update -a confcom, with --enable-sgxquotehelper where quote helpers are to stay",
  },
  VERSION_SKEW: {
    severity: "warning",
    means: "daemons of the add-on have different versions",
    remedy: "let the update finish (kubectl rollout status), or run it again",
  },
  EPC_NAME: {
    severity: "error",
    means: "a pod waits for EPC under a name that no node of this cluster schedules",
    remedy: "ask under the name that the nodes have; the webhook translates it in pods that are made while it answers",
  },
  EPC_NOWHERE: {
    severity: "error",
    means: "a pod waits for EPC, and no node offers any",
    remedy: "look at the nodes' problems; add a node with SGX",
  },
  EPC_SUFFIX: {
    severity: "error",
    means:
      'a container asks for "10Mi" or the like of the resource that is counted in MiB: ten million MiB, never schedulable',
    remedy: 'write the bare number of MiB: "10"',
  },
  EPC_BYTES: {
    severity: "warning",
    means: "a container asks for less than 1 MiB of the resource that is counted in bytes: probably MiB were meant",
    remedy: 'write bytes, or a suffix: sgx.intel.com/epc: "10Mi"',
  },
  EPC_LARGER_THAN_NODES: {
    severity: "error",
    means: "a pod waits for more EPC than any node has",
    remedy: "ask for less, or add a larger node",
  },
  ENCLAVE_SLOT_MISSING: {
    severity: "error",
    means: "a container has EPC on a node in counter mode and no enclave slot: it gets no /dev/sgx_enclave",
    remedy: 'ask for sgx.intel.com/enclave: "1" too; the webhook adds it to pods that are made while it answers',
  },
  PROVISION_NAMESPACE: {
    severity: "error",
    means: "pods that ask for the provisioning key are refused: their namespace is not labelled for it",
    remedy:
      "an administrator labels the namespace sgx.confcom.dev/provision=allowed; better, the application asks for quotes from the helper and needs no provisioning key",
  },
  QUOTA_WITHOUT_EFFECT: {
    severity: "warning",
    means: "a ResourceQuota limits EPC under a name that this cluster does not schedule: it holds nobody",
    remedy: "limit the name that the nodes have: the webhook translates before quotas are counted",
  },
  QUOTA_EXCEEDED: {
    severity: "warning",
    means: "pods are not made because a ResourceQuota on an SGX resource is used up",
    remedy: "raise the quota, or end pods of the namespace",
  },
  WEBHOOK_DOWN: {
    severity: "error",
    means: "no replica of the webhook answers: pods are made as they are written",
    remedy: "look at the pods of the Deployment sgx-webhook; pods that were made meanwhile have to be made again",
  },
  WEBHOOK_UNCONFIGURED: {
    severity: "error",
    means: "the webhook runs, and no MutatingWebhookConfiguration tells the API server to call it",
    remedy:
      "apply the add-on again: confcom addon update -a confcom, with --enable-sgxquotehelper where quote helpers are to stay",
  },
  WEBHOOK_CA_MISSING: {
    severity: "error",
    means: "the webhook's configuration holds no usable caBundle: the API server calls nobody and lets every pod pass",
    remedy: "the webhook writes it within a minute; if it does not, look at its log for the rights it lacks",
  },
  WEBHOOK_CA_EXPIRED: {
    severity: "error",
    means: "every CA in the webhook's caBundle has expired: the API server lets every pod pass",
    remedy: "restart the Deployment sgx-webhook and look at its log: it renews its CA long before",
  },
  WEBHOOK_CA_EXPIRING: {
    severity: "warning",
    means: "the last CA in the webhook's caBundle ends within a week, and the webhook should have renewed it",
    remedy: "look at the log of the Deployment sgx-webhook",
  },
  ROOT_MISSING: {
    severity: "error",
    means: "helpers are to be certified by the cluster's PCCS, and its root is not published or is no certificate",
    remedy: "look at the container pccs-trust of the Deployment sgx-pccs, which publishes it",
  },
  ROOT_MISMATCH: {
    severity: "error",
    means: "a helper's quotes stand under another root than the one that this cluster publishes: they do not verify",
    remedy:
      "restart the helper's pod, which registers at the cluster's PCCS; quotes it made before stay under the old root",
  },
  ROOT_NAMESPACE: {
    severity: "error",
    means: "a pod mounts the ConfigMap sgx-quote-root, which its namespace does not have",
    remedy: "copy the ConfigMap into the namespace; a pod can only mount those of its own",
  },
  PCCS_UNREACHABLE: {
    severity: "error",
    means: "a helper could not be certified by its PCCS",
    remedy: "look at the Deployment sgx-pccs, or at the PCCS that pccs.url names, and at egress to it",
  },
  PCCS_NAME_UNRESOLVED: {
    severity: "error",
    means: "a helper cannot resolve the name of its PCCS: the cluster has no DNS, or the pod does not use it",
    remedy: "check the cluster's DNS (CoreDNS) and the helper's dnsPolicy ClusterFirst",
  },
  PCCS_DOWN: {
    severity: "error",
    means: "the cluster's own PCCS is not ready: helpers that start for the first time get no certificate",
    remedy: "look at the pods of the Deployment sgx-pccs",
  },
  PCCS_UPSTREAM: {
    severity: "error",
    means: "the cluster's PCCS does not reach the service behind it: egress is blocked",
    remedy: "allow egress to it, or import collateral (confcom pccs import)",
  },
  PCCS_CLAIM_PENDING: {
    severity: "error",
    means: "the PersistentVolumeClaim of the PCCS is not bound",
    remedy:
      "set pccs.storage.className to a StorageClass that the cluster has, or pccs.storage.hostPath with pccs.nodeSelector",
  },
  STALE_CAPACITY: {
    severity: "warning",
    means: "a node still shows one of our resources, and no plugin serves it there any more",
    remedy: "confcom addon disable -a confcom takes it away; by hand: kubectl patch node --subresource=status",
  },
} as const satisfies Readonly<Record<string, ProblemRow>>;

export type ProblemCode = keyof typeof ADDON_PROBLEMS;

/** The rows of the table in docs/troubleshooting.md. */
export function problemTable(): string[] {
  return Object.entries(ADDON_PROBLEMS).map(
    ([code, { severity, means, remedy }]) => `| \`${code}\` | ${severity} | ${means} | ${remedy} |`,
  );
}
