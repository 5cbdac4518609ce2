/** One device as the kubelet sees it (spec: Kubernetes §1.2, Device). */
export interface PluginDevice {
  /** 1 to 63 characters; unique within its resource. */
  readonly id: string;
  readonly healthy: boolean;
  /** NUMA node of the EPC section, where topology is published at all. */
  readonly numaNode?: number;
}

/** What a container gets for the devices it was allocated (spec: Kubernetes §1.2, ContainerAllocateResponse). */
export interface ContainerAllocation {
  readonly envs: Readonly<Record<string, string>>;
  readonly mounts: readonly { readonly containerPath: string; readonly hostPath: string; readonly readOnly: boolean }[];
  readonly devices: readonly {
    readonly containerPath: string;
    readonly hostPath: string;
    /** Subset of "rwm". */
    readonly permissions: string;
  }[];
  readonly annotations: Readonly<Record<string, string>>;
}

/** One resource that a device plugin serves: its devices, and what a container that holds some of them gets. */
export interface PublishedResource {
  /** An extended resource name, e.g. `sgx.intel.com/enclave`. */
  readonly resourceName: string;
  /** File name of the socket in the kubelet's device-plugin directory. */
  readonly endpoint: string;
  /** Whether the kubelet is to call `preStart` before each start of a container, restarts included. */
  readonly preStartRequired: boolean;
  /** Whether the kubelet is to ask `prefer` which devices to take. */
  readonly preferredAllocationAvailable: boolean;
  /** The whole current list; the same array until `subscribe`'s listeners have been called. */
  devices(): readonly PluginDevice[];
  /** Calls `changed` after the list has changed; returns the way to stop that. */
  subscribe(changed: () => void): () => void;
  /** Throws KubernetesError (the pod is refused at admission) when the rights cannot be given. */
  allocate(ids: readonly string[]): ContainerAllocation;
  /** Resolves when the container may start; rejects with KubernetesError when it may not. Limit of the kubelet: 30 s. */
  preStart(ids: readonly string[], signal: AbortSignal): Promise<void>;
  /** `size` ids out of `available`, `mustInclude` among them. A hint. */
  prefer(available: readonly string[], mustInclude: readonly string[], size: number): readonly string[];
}
