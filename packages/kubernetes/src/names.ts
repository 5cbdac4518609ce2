/** Names that this project and its neighbours gave to things in a cluster (spec: Kubernetes §2, §4). */

/** EPC in MiB, as AKS names it: one device per MiB in device mode, a node-status counter above that. */
export const AZURE_EPC_RESOURCE = "kubernetes.azure.com/sgx_epc_mem_in_MiB";

/** EPC in bytes, as Intel's operator names it: always a node-status counter. */
export const INTEL_EPC_RESOURCE = "sgx.intel.com/epc";

/** Slots that give `/dev/sgx_enclave`. */
export const ENCLAVE_RESOURCE = "sgx.intel.com/enclave";

/** Slots that give `/dev/sgx_provision`, the right to the provisioning key. */
export const PROVISION_RESOURCE = "sgx.intel.com/provision";

/** Slots that give the AESM socket directory, read-only, and `SGX_AESM_ADDR=1`. */
export const QUOTE_RESOURCE = "sgx.confcom.dev/quote";

/** Every resource that confcom may own on a node. */
export const OWN_RESOURCES = [
  AZURE_EPC_RESOURCE,
  INTEL_EPC_RESOURCE,
  ENCLAVE_RESOURCE,
  PROVISION_RESOURCE,
  QUOTE_RESOURCE,
] as const;

/** "true" on a node whose SGX devices and EPC were found; taken off again when they are gone. Chooses where the quote helper runs. */
export const CAPABLE_LABEL = "sgx.confcom.dev/capable";

/** Where the kubelet looks for device plugins, whatever its `--root-dir` (spec: Kubernetes §1). */
export const DEVICE_PLUGIN_DIRECTORY = "/var/lib/kubelet/device-plugins";

/** The kubelet's PodResources socket. */
export const POD_RESOURCES_SOCKET = "/var/lib/kubelet/pod-resources/kubelet.sock";

/** The directory that applications mount to reach the quote helper. */
export const AESM_DIRECTORY = "/var/run/aesmd";

/** Whole MiB of EPC that were found on the node. */
export const EPC_LABEL = "sgx.confcom.dev/epc-mib";

/** Which driver's device names were found, e.g. "in-tree". */
export const DRIVER_LABEL = "sgx.confcom.dev/driver";

/** Every label that `node-status` sets and takes off again. */
export const OWN_LABELS = [CAPABLE_LABEL, EPC_LABEL, DRIVER_LABEL] as const;

/** Which of the node's capacity counters `node-status` wrote, separated by commas: those alone it takes away again. */
export const COUNTERS_ANNOTATION = "sgx.confcom.dev/counters";

/** The resources that may be counters in the node's status. */
export const COUNTER_RESOURCES = [AZURE_EPC_RESOURCE, INTEL_EPC_RESOURCE] as const;

/** Who says the events that `node-status` writes about its node. */
export const EVENT_COMPONENT = "confcom-device-plugin";

/** Pod annotation of Intel's webhook, which ours understands too: `aesmd`, or the name of a container (spec: Kubernetes §2). */
export const QUOTE_PROVIDER_ANNOTATION = "sgx.intel.com/quote-provider";

/** The same in our own name: `aesmd`, or the name of a container that quotes in-process. */
export const OWN_QUOTE_PROVIDER_ANNOTATION = "sgx.confcom.dev/quote-provider";

/** Pod annotation that the webhook writes as Intel's does: bytes of EPC of all containers, read by Kata. */
export const EPC_ANNOTATION = "sgx.intel.com/epc";

/** Environment variable with which a container asks for out-of-process quotes. */
export const AESM_VARIABLE = "SGX_AESM_ADDR";

/** Namespace label, for the webhook: `slot` (as without it) adds the quote slot, `mount` volume, mount and variable, `disabled` nothing. */
export const INJECTION_LABEL = "sgx.confcom.dev/quote-injection";

/** Namespace label "allowed", set by an administrator: its containers may ask for the provisioning key. */
export const PROVISION_LABEL = "sgx.confcom.dev/provision";
