import { AESM_DIRECTORY } from "../names.ts";
import type { Affinity, ResourceRequirements, StringMap, Toleration } from "./kubernetes-object.ts";
import { mergeValues } from "./merge-values.ts";
import { PCCS_USER_TOKEN_SECRET, QUOTE_ROOT_CONFIG_MAP } from "./object-names.ts";
import { holds } from "./template/evaluate.ts";
import {
  annotations,
  boolean,
  dnsLabel,
  dnsName,
  hostPath,
  httpsUrl,
  imageReference,
  integer,
  labelKey,
  labels,
  labelValue,
  list,
  object,
  oneOf,
  orNull,
  partial,
  quantityText,
  refuse,
  resources,
  section,
  text,
} from "./value-readers.ts";
import { VALUE_RULES } from "./value-rules.ts";

/** Everything about an installation that its owner may choose. {@link DEFAULT_VALUES} is one that works on AKS and elsewhere. */
export interface ManifestValues {
  readonly namespace: string;
  /** Whether the namespace itself is among the objects, with the pod-security level that hostPath volumes need. */
  readonly createNamespace: boolean;
  /** Null: `localhost/confcom:` and the version. */
  readonly image: string | null;
  readonly imagePullPolicy: "Always" | "IfNotPresent" | "Never";
  /** Names of Secrets in the namespace. */
  readonly imagePullSecrets: readonly string[];
  /** Under which name EPC is schedulable: `azure` MiB, `intel` bytes. */
  readonly resourceNames: "azure" | "intel";
  readonly mode: "auto" | "device" | "counter";
  /** Containers per node that may hold each right. */
  readonly slots: { readonly enclave: number; readonly provision: number; readonly quote: number };
  /** Whether asking for EPC also gives the provisioning device. */
  readonly provisionWithEpc: boolean;
  readonly numa: boolean;
  /** Directory of the host that shows EPC per NUMA node; null where the kernel has none. */
  readonly sysfsNodeDirectory: string | null;
  /** `misc.capacity` of the host's root cgroup; null leaves that source out. */
  readonly miscCapacityFile: string | null;
  /** Whether a privileged init container reads the EPC's size from the CPU. */
  readonly cpuidInit: boolean;
  /** EPC in MiB where no source tells; null where one does. */
  readonly epcMiB: number | null;
  /** Where `/status`, probes and metrics listen; `[::]` on clusters without IPv4. */
  readonly listenAddress: string;
  readonly logLevel: "fatal" | "error" | "warn" | "info" | "debug" | "trace";
  /** Added to what each DaemonSet selects by itself. */
  readonly nodeSelector: StringMap;
  readonly tolerations: readonly Toleration[];
  readonly affinity: Affinity | null;
  readonly priorityClassName: string | null;
  readonly podLabels: StringMap;
  readonly podAnnotations: StringMap;
  readonly plugin: { readonly resources: ResourceRequirements };
  readonly nodeStatus: { readonly resources: ResourceRequirements };
  readonly quoteHelper: QuoteHelperValues;
  readonly webhook: WebhookValues;
  readonly policies: PoliciesValues;
  readonly pccs: PccsValues;
}

/** Fills in what applications need not write: quote slots, the EPC name that this cluster schedules. */
export interface WebhookValues {
  readonly enabled: boolean;
  readonly replicas: number;
  readonly resources: ResourceRequirements;
}

/** What applications may ask for; holds whether or not the webhook answers. */
export interface PoliciesValues {
  readonly enabled: boolean;
  /** What happens to a container that asks for the provisioning key in a namespace that is not labelled for it. */
  readonly provision: "Deny" | "Warn" | "Audit";
}

/** One root for the cluster: the PCCS at which every helper registers. Without it each helper is its own root. */
export interface PccsValues {
  readonly enabled: boolean;
  /** Of a PCCS outside of this installation; null deploys `sgx-pccs`. */
  readonly url: string | null;
  /** For `url`: ConfigMap of the namespace, with the keys `root-ca.pem` and `pccs-ca.pem`. */
  readonly trustConfigMap: string;
  /** For `url`: Secret of the namespace, with the key `user-token`. */
  readonly userTokenSecret: string;
  /** Of `sgx-pccs`: `software` certifies the software platform; `intel` or a URL. */
  readonly upstream: string;
  readonly storage: PccsStorageValues;
  /** Where `sgx-pccs` runs. */
  readonly nodeSelector: StringMap;
  readonly resources: ResourceRequirements;
}

/** Where `sgx-pccs` keeps its database and the provisioning CA. */
export interface PccsStorageValues {
  /** Of the PersistentVolumeClaim. */
  readonly size: string;
  /** Null: the cluster's default. */
  readonly className: string | null;
  /** Directory of one node instead of a claim; `pccs.nodeSelector` says which node. */
  readonly hostPath: string | null;
}

export interface QuoteHelperValues {
  readonly enabled: boolean;
  /** EPC that QE and PCE take, MiB. */
  readonly epcMiB: number;
  /** Directory of the host; outlives pods. */
  readonly stateDirectory: string;
  /** Directory of the host that applications mount. */
  readonly socketDirectory: string;
  /** Event loops. A number, not the node's CPUs: each one takes memory. */
  readonly workers: number;
  readonly resources: ResourceRequirements;
}

/** Taints that SGX pools carry: AKS's own name, Intel's, and AKS spot pools. A blanket toleration is refused by some providers. */
const SGX_POOL_TAINTS: readonly Toleration[] = [
  { key: "kubernetes.azure.com/sgx_epc_mem_in_MiB", operator: "Exists", effect: "NoSchedule" },
  { key: "sgx.intel.com/epc", operator: "Exists", effect: "NoSchedule" },
  { key: "kubernetes.azure.com/scalesetpriority", operator: "Exists", effect: "NoSchedule" },
];

export const DEFAULT_VALUES: ManifestValues = {
  namespace: "kube-system",
  createNamespace: false,
  image: null,
  imagePullPolicy: "IfNotPresent",
  imagePullSecrets: [],
  resourceNames: "azure",
  mode: "auto",
  slots: { enclave: 110, provision: 110, quote: 110 },
  provisionWithEpc: false,
  numa: false,
  sysfsNodeDirectory: "/sys/devices/system/node",
  miscCapacityFile: null,
  cpuidInit: false,
  epcMiB: null,
  listenAddress: "0.0.0.0",
  logLevel: "info",
  nodeSelector: {},
  tolerations: SGX_POOL_TAINTS,
  affinity: null,
  priorityClassName: "system-node-critical",
  podLabels: {},
  podAnnotations: {},
  plugin: { resources: { requests: { cpu: "20m", memory: "96Mi" }, limits: { memory: "320Mi" } } },
  nodeStatus: { resources: { requests: { cpu: "10m", memory: "64Mi" }, limits: { memory: "160Mi" } } },
  quoteHelper: {
    enabled: true,
    epcMiB: 10,
    stateDirectory: "/var/lib/confcom",
    socketDirectory: AESM_DIRECTORY,
    workers: 2,
    resources: { requests: { cpu: "50m", memory: "96Mi" }, limits: { memory: "256Mi" } },
  },
  webhook: {
    enabled: true,
    replicas: 2,
    resources: { requests: { cpu: "20m", memory: "96Mi" }, limits: { memory: "256Mi" } },
  },
  policies: { enabled: true, provision: "Deny" },
  pccs: {
    enabled: true,
    url: null,
    trustConfigMap: QUOTE_ROOT_CONFIG_MAP,
    userTokenSecret: PCCS_USER_TOKEN_SECRET,
    upstream: "software",
    storage: { size: "1Gi", className: null, hostPath: null },
    nodeSelector: {},
    resources: { requests: { cpu: "50m", memory: "128Mi" }, limits: { memory: "512Mi" } },
  },
};

const slots = integer(0, 10_000);
const toleration = partial<Toleration>({
  key: labelKey,
  operator: oneOf("Exists", "Equal"),
  value: labelValue,
  effect: oneOf("NoSchedule", "PreferNoSchedule", "NoExecute"),
  tolerationSeconds: integer(0, 2 ** 31 - 1),
});

/** What values may be; the chart's values.schema.json comes from it. */
export const VALUES_READER = section<ManifestValues>({
  namespace: dnsLabel,
  createNamespace: boolean,
  image: orNull(imageReference),
  imagePullPolicy: oneOf("Always", "IfNotPresent", "Never"),
  imagePullSecrets: list(dnsName),
  resourceNames: oneOf("azure", "intel"),
  mode: oneOf("auto", "device", "counter"),
  slots: section({ enclave: slots, provision: slots, quote: slots }),
  provisionWithEpc: boolean,
  numa: boolean,
  sysfsNodeDirectory: orNull(hostPath),
  miscCapacityFile: orNull(hostPath),
  cpuidInit: boolean,
  epcMiB: orNull(integer(1, 2 ** 31 - 1)),
  listenAddress: text(/^(\d{1,3}(\.\d{1,3}){3}|\[[0-9a-fA-F:.]+\])$/, "an address such as 0.0.0.0 or [::]"),
  logLevel: oneOf("fatal", "error", "warn", "info", "debug", "trace"),
  nodeSelector: labels,
  tolerations: list(toleration),
  affinity: orNull(partial<Affinity>({ nodeAffinity: object, podAffinity: object, podAntiAffinity: object })),
  priorityClassName: orNull(dnsName),
  podLabels: labels,
  podAnnotations: annotations,
  plugin: section({ resources }),
  nodeStatus: section({ resources }),
  quoteHelper: section<QuoteHelperValues>({
    enabled: boolean,
    epcMiB: integer(1, 65_536),
    stateDirectory: hostPath,
    socketDirectory: hostPath,
    workers: integer(1, 256),
    resources,
  }),
  webhook: section<WebhookValues>({ enabled: boolean, replicas: integer(1, 16), resources }),
  policies: section<PoliciesValues>({ enabled: boolean, provision: oneOf("Deny", "Warn", "Audit") }),
  pccs: section<PccsValues>({
    enabled: boolean,
    url: orNull(httpsUrl),
    trustConfigMap: dnsName,
    userTokenSecret: dnsName,
    upstream: text(
      /^(software|intel|https:\/\/[^\s\p{Cc}"\\]+)$/u,
      "software, intel or a URL that begins with https://",
    ),
    storage: section<PccsStorageValues>({
      size: quantityText,
      className: orNull(dnsName),
      hostPath: orNull(hostPath),
    }),
    nodeSelector: labels,
    resources,
  }),
});

/**
 * Values as a person gave them, over the defaults, by the rules of {@link mergeValues}. Throws KubernetesError
 * `MANIFEST_VALUE`, naming the value.
 */
export function manifestValues(given: unknown = {}): ManifestValues {
  const values = VALUES_READER(mergeValues(DEFAULT_VALUES, given ?? {}), "");
  checkTogether(values);
  return values;
}

function checkTogether(values: ManifestValues): void {
  for (const { refusedWhen, value, because } of VALUE_RULES) {
    if (holds(refusedWhen, { values, version: "" })) refuse(value, because);
  }
}
