import type { Affinity, ResourceRequirements, StringMap, Toleration } from "./kubernetes-object.ts";

/** Everything about an installation that its owner may choose. DEFAULT_VALUES is one that works on AKS and elsewhere. */
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
