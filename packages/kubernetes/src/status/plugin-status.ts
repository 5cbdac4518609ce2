/**
 * What the device plugin says about itself on `GET /status`: read by `node-status` in the same pod, by people, and by
 * whatever collects diagnostics. Fields are only ever added; a reader ignores those that it does not know.
 */
export interface PluginStatus {
  readonly version: string;
  /** Name of the node, where the plugin was told. */
  readonly node: string | null;
  /** When this was written, RFC 3339. */
  readonly now: string;
  readonly startedAt: string;
  readonly state: PluginState;
  /** Present where `state` is "standby": how the plugin learned of its successor. */
  readonly replaced?: string;
  readonly sgx: SgxStatus;
  readonly publishing: PublishingStatus | null;
  readonly resources: readonly ResourceStatus[];
  /** What `node-status` is to write into `node.status.capacity`: integers, as decimal text. */
  readonly counters: readonly NodeCounter[];
  readonly problems: readonly StatusProblem[];
  /** The newest events, oldest first. `sequence` rises by one with each; a restart begins again at 1 with another `startedAt`. */
  readonly events: readonly StatusEvent[];
}

/**
 * "starting": the node has not been looked at yet; "serving": resources are offered to the kubelet; "idle": this node has no usable SGX;
 * "standby": a newer plugin took over every resource; "refused": somebody else's plugin owns a resource.
 */
export const PLUGIN_STATES = ["starting", "serving", "idle", "standby", "refused"] as const;
export type PluginState = (typeof PLUGIN_STATES)[number];

export interface SgxStatus {
  /** Devices and EPC were both found. */
  readonly capable: boolean;
  readonly devices: {
    /** Host path of the device that loads enclaves; null where there is none. */
    readonly enclave: string | null;
    readonly provision: string | null;
    /** Which driver's names were found, e.g. "in-tree"; null where none were. */
    readonly generation: string | null;
    readonly problems: readonly string[];
  };
  readonly epc: {
    /** Whole MiB of EPC. */
    readonly totalMiB: number;
    readonly totalBytes: number;
    /** Which source of `tried` was believed; null where none was usable. */
    readonly source: string | null;
    readonly perNumaNode: readonly { readonly node: number; readonly bytes: number }[];
    readonly tried: readonly { readonly source: string; readonly usable: boolean; readonly why: string }[];
  };
}

export interface PublishingStatus {
  readonly resourceNames: "azure" | "intel";
  /** "none": EPC is not published, see `why`. */
  readonly mode: "device" | "counter" | "none";
  readonly requestedMode: "auto" | "device" | "counter";
  /** Why `mode` was chosen. */
  readonly why: string;
  /** Size of the encoded device list of EPC, bytes; 0 in counter mode. */
  readonly encodedBytes: number;
  readonly limitBytes: number;
  readonly warnings: readonly string[];
}

export interface ResourceStatus {
  readonly name: string;
  /** File name of the socket in the kubelet's device-plugin directory. */
  readonly endpoint: string;
  readonly total: number;
  readonly healthy: number;
  /** Ids that running containers hold; null until the kubelet has said so. */
  readonly allocated: number | null;
  /** When the kubelet last accepted the registration; null where it has not. */
  readonly registeredAt: string | null;
  readonly listAndWatchOpen: boolean;
  readonly problem?: string;
}

export interface NodeCounter {
  readonly name: string;
  readonly quantity: string;
}

export interface StatusProblem {
  /** A code of KUBERNETES_ERRORS. */
  readonly code: string;
  readonly message: string;
  readonly nextStep: string;
  readonly since: string;
}

export interface StatusEvent {
  readonly sequence: number;
  readonly time: string;
  readonly type: "Normal" | "Warning";
  /** CamelCase, as an Event's `reason`. */
  readonly reason: string;
  readonly message: string;
}

/** How many events a status holds; older ones are dropped. */
export const STATUS_EVENT_LIMIT = 256;

/** Size limit of a status as JSON, bytes. */
export const PLUGIN_STATUS_SIZE_LIMIT = 1 << 20;
