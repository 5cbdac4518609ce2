import { AESM_DIRECTORY } from "../names.ts";
import type { Affinity, Toleration } from "./kubernetes-object.ts";
import type {
  ManifestValues,
  PccsStorageValues,
  PccsValues,
  PoliciesValues,
  QuoteHelperValues,
  WebhookValues,
} from "./manifest-values.ts";
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
