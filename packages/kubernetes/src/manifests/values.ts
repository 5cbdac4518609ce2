import { AESM_DIRECTORY } from "../names.ts";
import type { Affinity, ResourceRequirements, StringMap, Toleration } from "./kubernetes-object.ts";
import { PCCS_USER_TOKEN_SECRET, QUOTE_ROOT_CONFIG_MAP } from "./object-names.ts";
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
  quantity,
  type Reader,
  refuse,
  resources,
  text,
} from "./value-readers.ts";

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

type Given<T> = { readonly [K in keyof T]?: T[K] | undefined };
type GivenValues = Given<
  Omit<ManifestValues, "slots" | "plugin" | "nodeStatus" | "quoteHelper" | "webhook" | "policies" | "pccs"> & {
    slots: Given<ManifestValues["slots"]>;
    plugin: Given<ManifestValues["plugin"]>;
    nodeStatus: Given<ManifestValues["nodeStatus"]>;
    quoteHelper: Given<QuoteHelperValues>;
    webhook: Given<WebhookValues>;
    policies: Given<PoliciesValues>;
    pccs: Given<Omit<PccsValues, "storage"> & { storage: Given<PccsStorageValues> }>;
  }
>;

/** `partial` for members that may be null: its type takes null for absent. */
const nullable = <T>(read: Reader<T>) => orNull(read) as Reader<NonNullable<T>>;

const readGiven = partial<GivenValues>({
  namespace: dnsLabel,
  createNamespace: boolean,
  image: nullable(imageReference),
  imagePullPolicy: oneOf("Always", "IfNotPresent", "Never"),
  imagePullSecrets: list(dnsName),
  resourceNames: oneOf("azure", "intel"),
  mode: oneOf("auto", "device", "counter"),
  slots: partial({ enclave: slots, provision: slots, quote: slots }),
  provisionWithEpc: boolean,
  numa: boolean,
  sysfsNodeDirectory: nullable(hostPath),
  miscCapacityFile: nullable(hostPath),
  cpuidInit: boolean,
  epcMiB: nullable(integer(1, 2 ** 31 - 1)),
  listenAddress: text(/^(\d{1,3}(\.\d{1,3}){3}|\[[0-9a-fA-F:.]+\])$/, "an address such as 0.0.0.0 or [::]"),
  logLevel: oneOf("fatal", "error", "warn", "info", "debug", "trace"),
  nodeSelector: labels,
  tolerations: list(toleration),
  affinity: nullable(partial<Affinity>({ nodeAffinity: object, podAffinity: object, podAntiAffinity: object })),
  priorityClassName: nullable(dnsName),
  podLabels: labels,
  podAnnotations: annotations,
  plugin: partial({ resources }),
  nodeStatus: partial({ resources }),
  quoteHelper: partial<Given<QuoteHelperValues>>({
    enabled: boolean,
    epcMiB: integer(1, 65_536),
    stateDirectory: hostPath,
    socketDirectory: hostPath,
    workers: integer(1, 256),
    resources,
  }),
  webhook: partial<Given<WebhookValues>>({ enabled: boolean, replicas: integer(1, 16), resources }),
  policies: partial<Given<PoliciesValues>>({ enabled: boolean, provision: oneOf("Deny", "Warn", "Audit") }),
  pccs: partial<NonNullable<GivenValues["pccs"]>>({
    enabled: boolean,
    url: nullable(httpsUrl),
    trustConfigMap: dnsName,
    userTokenSecret: dnsName,
    upstream: text(/^(software|intel|https:\/\/\S+)$/, "software, intel or a URL that begins with https://"),
    storage: partial<Given<PccsStorageValues>>({
      size: quantity,
      className: nullable(dnsName),
      hostPath: nullable(hostPath),
    }),
    nodeSelector: labels,
    resources,
  }),
});

/**
 * Values as a person gave them, over the defaults: maps and lists replace those of the defaults, the sections `slots`,
 * `plugin`, `nodeStatus` and `quoteHelper` are merged. Throws KubernetesError `MANIFEST_VALUE`, naming the value.
 */
export function manifestValues(given: unknown = {}): ManifestValues {
  const read = readGiven(given ?? {}, "");
  const merged = {
    ...DEFAULT_VALUES,
    ...read,
    slots: { ...DEFAULT_VALUES.slots, ...read.slots },
    plugin: { ...DEFAULT_VALUES.plugin, ...read.plugin },
    nodeStatus: { ...DEFAULT_VALUES.nodeStatus, ...read.nodeStatus },
    quoteHelper: { ...DEFAULT_VALUES.quoteHelper, ...read.quoteHelper },
    webhook: { ...DEFAULT_VALUES.webhook, ...read.webhook },
    policies: { ...DEFAULT_VALUES.policies, ...read.policies },
    pccs: {
      ...DEFAULT_VALUES.pccs,
      ...read.pccs,
      storage: { ...DEFAULT_VALUES.pccs.storage, ...read.pccs?.storage },
    },
  } as ManifestValues;
  checkTogether(merged);
  return merged;
}

function checkTogether(values: ManifestValues): void {
  const { resourceNames, mode, numa, slots, quoteHelper, pccs } = values;
  if (pccs.storage.hostPath !== null && Object.keys(pccs.nodeSelector).length === 0) {
    refuse("pccs.storage.hostPath", "a directory is one node's: say which in pccs.nodeSelector, or use a claim");
  }
  if (resourceNames === "intel" && mode === "device") {
    refuse("mode", "device does not go with resourceNames intel, whose EPC is a number of bytes; use auto or counter");
  }
  if (quoteHelper.enabled && slots.provision === 0) {
    refuse("slots.provision", "0 leaves none for the quote helper, which needs one; use 1 or more");
  }
  const helperWantsEnclaveSlot = quoteHelper.enabled && !(resourceNames === "azure" && mode === "device");
  if (helperWantsEnclaveSlot && slots.enclave === 0) {
    refuse("slots.enclave", "0 leaves none for the quote helper, which needs one unless mode is device; use 1 or more");
  }
  if (numa && (mode === "counter" || resourceNames === "intel")) {
    refuse("numa", "true needs EPC as devices; use resourceNames azure with mode auto or device");
  }
}
