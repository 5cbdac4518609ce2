/** The parts of Kubernetes objects that the checks read. */

export interface Metadata {
  readonly name: string;
  readonly namespace?: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly creationTimestamp: string;
  readonly deletionTimestamp?: string;
  readonly ownerReferences?: readonly { readonly kind: string; readonly name: string }[];
}

export type Quantities = Readonly<Record<string, string>>;

export interface ContainerState {
  readonly waiting?: { readonly reason?: string; readonly message?: string };
  readonly running?: { readonly startedAt: string };
  readonly terminated?: { readonly exitCode: number; readonly reason?: string; readonly finishedAt?: string };
}

export interface ContainerStatus {
  readonly name: string;
  readonly ready: boolean;
  readonly restartCount: number;
  /** `containerd://ID` */
  readonly containerID?: string;
  readonly state?: ContainerState;
  readonly lastState?: ContainerState;
}

export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
  /** Conditions of nodes: when the kubelet last wrote it. */
  readonly lastHeartbeatTime?: string;
}

export interface Pod {
  readonly metadata: Metadata;
  readonly spec: {
    readonly nodeName?: string;
    readonly priorityClassName?: string;
    readonly containers: readonly {
      readonly name: string;
      readonly resources?: { readonly limits?: Quantities; readonly requests?: Quantities };
    }[];
  };
  readonly status: {
    readonly phase: string;
    readonly reason?: string;
    readonly message?: string;
    readonly conditions?: readonly Condition[];
    readonly containerStatuses?: readonly ContainerStatus[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
  };
}

export interface Node {
  readonly metadata: Metadata;
  readonly status: {
    readonly capacity: Quantities;
    readonly allocatable: Quantities;
    readonly conditions: readonly Condition[];
  };
}

export interface DaemonSet {
  readonly metadata: Metadata;
  readonly spec: {
    readonly template: { readonly spec: { readonly containers: readonly { name: string; args?: string[] }[] } };
  };
  readonly status: {
    readonly observedGeneration?: number;
    readonly desiredNumberScheduled: number;
    readonly currentNumberScheduled: number;
    readonly updatedNumberScheduled?: number;
    readonly numberReady: number;
    readonly numberAvailable?: number;
  };
}

export interface Job {
  readonly metadata: Metadata;
  readonly status: {
    readonly succeeded?: number;
    readonly failed?: number;
    readonly conditions?: readonly Condition[];
  };
}

export interface ClusterEvent {
  readonly metadata: Metadata;
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly count?: number;
  readonly involvedObject: { readonly kind: string; readonly name: string; readonly namespace?: string };
  readonly lastTimestamp?: string;
  readonly eventTime?: string;
}

/** A decimal quantity of a countable resource: 100,000 comes back as `100k` (spec: Kubernetes §1.3). */
export function count(quantity: string | undefined): number {
  if (quantity === undefined) return 0;
  const match = /^(\d+(?:\.\d+)?)(k|M|G|T|Ki|Mi|Gi|Ti)?$/.exec(quantity);
  if (match === null) throw new Error(`not a count: ${quantity}`);
  return Number(match[1]) * (FACTORS[match[2] ?? ""] as number);
}

const FACTORS: Readonly<Record<string, number>> = {
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** Phase of a pod and what the scheduler and the kubelet say of it. */
export function describePod({ status }: Pod): string {
  const scheduled = status.conditions?.find(({ type, status }) => type === "PodScheduled" && status === "False");
  const waiting = status.containerStatuses?.[0]?.state?.waiting;
  return [status.phase, status.reason, status.message, scheduled?.message, waiting?.reason, waiting?.message]
    .filter((text) => text !== undefined)
    .join(" ");
}
