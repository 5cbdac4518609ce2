/** Every failure that this package reports: stable code, what it means, what to do. */
export const KUBERNETES_ERRORS = {
  DEVICE_ID_UNKNOWN:
    "the kubelet named a device id that is not published: it holds an old list; the pod is admitted again when the new list has arrived",
  SGX_DEVICE_MISSING:
    'the SGX driver\'s enclave device is not there: switch SGX on in the firmware or the virtual machine, use Linux 5.11 or newer or the DCAP driver, and look at dmesg for "sgx:"',
  SGX_DEVICE_KIND:
    "what has the name of an SGX device is no character device; often a directory that a container runtime made in its place: remove it and load the driver again",
  SGX_DEVICE_LINK:
    "a symbolic link that should lead to an SGX device leads nowhere, in a circle or out of /dev: remove it or let udev make it again",
  SGX_DEVICE_PERMISSION:
    "an SGX device could not be looked at: give the plugin's container the host's /dev and run it as root (no capability is needed)",
  SGX_DEVICE_MODE:
    "containers whose user is not root cannot open the SGX device with these rights: let a udev rule give it mode 0666, or add the device's group to the pods' supplementalGroups",
  SGX_DRIVER_EPID:
    "only the legacy EPID driver (/dev/isgx) was found, which cannot make DCAP quotes: use Linux 5.11 or newer or the DCAP driver",
  SGX_PROVISION_MISSING:
    "there is an enclave device but no provisioning device: enclaves run, but no container can be given the provisioning key and the quote helper cannot start",
  SGX_EPC_UNKNOWN:
    "no source told how much EPC this node has: mount /sys/devices/system/node (Linux 5.17 or newer), or misc.capacity, or let the init container read CPUID, or set --epc-mib",
  SGX_CPUID:
    "the CPU's identification could not be read or written down: load the kernel module cpuid and run the init container privileged",
  EPC_LIST_TOO_LARGE:
    "the kubelet takes 4 MiB of device list and this node's EPC does not fit: use --mode auto or counter, or switch --numa off",
  EPC_MODE_UNSUPPORTED:
    "EPC in bytes (--resource-names intel) is a number in the node's status, never a list of devices: use --mode auto or counter",
  EPC_OVERCOMMITTED:
    "containers hold more EPC than the node now has: enclaves will be paged or fail; end some of the pods that hold EPC",
  QUOTE_HELPER_UNREACHABLE:
    "this node's quote helper does not answer: look at the pod of the DaemonSet sgx-quote-helper on this node; the container is started again by itself",
  POD_RESOURCES_UNREACHABLE:
    "the kubelet did not say which device ids its containers hold: mount its pod-resources directory; until then no id is taken from the list",
  STATUS_ADDRESS_UNUSABLE:
    "the address of --listen cannot be listened on: somebody else has the port, or the address is not this machine's",
  PLUGIN_UNREACHABLE:
    "the device plugin's status could not be read: look at the container sgx-plugin of the same pod; what the node shows stays as it is until then",
  PLUGIN_STATUS_MALFORMED:
    "what answers as the device plugin is no device plugin of this project, or one of another version: check --plugin",
  API_CREDENTIALS_UNREADABLE:
    "the service account's token or the cluster's CA certificate could not be read: check the projected volume of the container node-status",
  API_SERVER_UNREACHABLE:
    "the API server did not answer: check the address, network policies, proxies and the CA certificate; daemons ask again, device plugin and quotes work without it, a command may be run again",
  API_SERVER_UNAUTHORIZED:
    "the API server does not accept the credentials: of a pod, check the token's audience and that the service account still exists; of a kubeconfig, log in again",
  API_SERVER_FORBIDDEN:
    "who asks may not do this: for a daemon apply the project's roles, role bindings and admission policy again; for confcom addon use a kubeconfig whose user may, such as cluster-admin",
  API_SERVER_NO_NODE: "the cluster has no node of this name: check --node-name (spec.nodeName of the pod)",
  API_SERVER_BUSY: "the API server is overloaded or failing: daemons ask again later, a command may be run again",
  API_SERVER_REFUSED: "the API server refused what was written; its reason is in the message",
  COUNTER_CONTESTED:
    "somebody else keeps changing a resource counter on this node: for 5 minutes after a device plugin stopped serving the resource that is the kubelet; otherwise look for another EPC counter, such as a NodeFeatureRule or Intel's operator, and remove one of the two",
  WEBHOOK_AUTHORITY_MALFORMED:
    "the Secret of the webhook's TLS authority holds something that the webhook did not write; it is left alone, and replicas that have a certificate go on serving. Empty it (kubectl patch secret sgx-webhook-authority --type merge -p '{\"data\":null}'): a new authority is made and taken over without a gap",
  WEBHOOK_AUTHORITY_MISSING:
    "the Secret of the webhook's TLS authority was deleted, and the webhook may change it but not create it; replicas that have a certificate go on serving. Apply the project's manifests again: a new authority is made and taken over without a gap",
  WEBHOOK_NOT_CONFIGURED:
    "there is no MutatingWebhookConfiguration to write the authority into, so nobody calls the webhook: apply the project's manifests again or check --configuration",
  PCCS_ROOT_AWAITED:
    "the software platform's root certificate is not in the state directory yet: the PCCS makes it at its first start; look at its container's log if it does not come",
  PCCS_STATE_UNUSABLE:
    "what the PCCS's state directory holds cannot be published: run `confcom pccs prepare` on it again, as the init container of the pod does, and look at the message",
  MANIFEST_VALUE:
    "a value for the manifests is unknown or cannot be used: the message names it; docs/kubernetes.md lists all of them",
  KUBECONFIG_UNUSABLE:
    "the kubeconfig cannot be read or used: check --kubeconfig (or KUBECONFIG) and --context; kubectl with the same file must work",
  CLUSTER_TOO_OLD:
    "the cluster is older than Kubernetes 1.32, without which the add-on's rights cannot be narrowed: upgrade it",
  ADDON_NAME_UNKNOWN: "there is one add-on, confcom",
  ADDON_ENABLED: "use confcom addon update to change the add-on, or confcom addon disable first",
  ADDON_NOT_ENABLED: "enable it first: confcom addon enable -a confcom",
  ADDON_NOT_INSTALLED: "there is nothing to disable; confcom addon list says what there is",
  ADDON_ELSEWHERE:
    "the add-on is one for the whole cluster and is installed in another namespace: name that one with --namespace, or disable it there first",
  ADDON_NAMESPACE_MISSING:
    "the namespace for the add-on is not there: make it with the label pod-security.kubernetes.io/enforce=privileged, or give --set createNamespace=true",
  ADDON_DISABLING:
    "the add-on is being disabled, or that was interrupted: run confcom addon disable again, then enable it",
  ADDON_CONFLICT:
    "other managers hold fields that the add-on has to set, and nothing was changed: remove those objects or hand them over with --force-conflicts",
  ADDON_IN_USE:
    "pods still hold SGX resources and would lose them: end them first, or disable with --force, which leaves them running without a plugin",
  ADDON_STATE_MALFORMED:
    "ConfigMap sgx-addon, in which the add-on keeps what it knows, was changed by somebody else: delete it and run the command again; the objects are found by their labels",
  ADDON_STATE_NEWER:
    "the add-on was last changed by a newer confcom whose records this one cannot read: use that version or a newer one",
  ADDON_STATE_CHANGED:
    "another confcom addon command works on the same cluster: wait for its end, then run this one again",
  ADDON_NOT_READY:
    "not everything became ready in time; what was applied stays and the command may be run again: the message says what is missing",
  DEVICE_REQUEST_MALFORMED:
    "the kubelet's request names no device, one device twice or more devices than are published; report it with the versions of both sides",
  DEVICE_PLUGIN_INTERNAL: "a defect of confcom itself; report it with the plugin's log",
  PRE_START_TIMEOUT:
    "what a container needs before it starts was not there in time; the kubelet starts the container again by itself",
  DEVICE_LIST_TOO_LARGE:
    "the kubelet takes at most 4 MiB of device list and the resource has more; nothing was sent: publish fewer devices, or the resource as a counter",
  ENDPOINT_UNUSABLE:
    "the plugin's socket could not be made in the kubelet's device-plugin directory; tried again: check that the directory is mounted, writable, and its path at most 80 characters long",
  KUBELET_UNREACHABLE:
    "the kubelet's registration socket does not answer; tried again, and at once when the socket is made anew. If it lasts: check that the kubelet runs and that its device-plugin directory is mounted",
  KUBELET_REFUSED_REGISTRATION:
    "the kubelet answered the registration with an error; tried again. The kubelet's log says more",
  KUBELET_NEVER_CALLED:
    "the kubelet accepted the registration but did not ask for the devices: kubelets older than 1.26 cannot talk to this plugin; otherwise look for the resource's name in the kubelet's log",
  FOREIGN_DEVICE_PLUGIN:
    "another vendor's device plugin serves this resource on this node: remove one of the two, for example the other DaemonSet, then start this one again",
} as const;

export type KubernetesErrorCode = keyof typeof KUBERNETES_ERRORS;

export class KubernetesError extends Error {
  override readonly name = "KubernetesError";
  readonly code: KubernetesErrorCode;
  /** What to do next, where the table's text is not exact enough. */
  readonly nextStep: string;

  constructor(code: KubernetesErrorCode, message: string, options: { cause?: unknown; nextStep?: string } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.nextStep = options.nextStep ?? KUBERNETES_ERRORS[code];
  }
}

/** The words of whatever was thrown; of several errors in one, all of them. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join(", ");
  return error instanceof Error ? error.message : String(error);
}
