import type { KubernetesObject } from "../manifests/kubernetes-object.ts";
import type { ObjectReference } from "./object-reference.ts";
import type { ResourceKind } from "./resource-kinds.ts";

/** An object as the API server gives it back. */
export interface ClusterObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly generation?: number;
    readonly deletionTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly managedFields?: readonly { readonly manager?: string; readonly operation?: string }[];
  };
  readonly [field: string]: unknown;
}

export interface ListFilter {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

export interface ApplyOptions {
  /** Takes fields that another manager holds. */
  readonly force?: boolean;
  /** The server checks and defaults, and nothing is written. */
  readonly dryRun?: boolean;
}

export interface DeleteOptions {
  /** Only the object with this identity: one that was made anew under the same name stays. */
  readonly uid?: string | undefined;
}

/**
 * What the life cycle of the add-on asks of a cluster. Rejects with ApiError; `apply` with ApplyConflict where another
 * manager holds a field.
 */
export interface ClusterAccess {
  /** Major and minor version of the API server. */
  version(): Promise<readonly [major: number, minor: number]>;
  get(of: ObjectReference): Promise<ClusterObject | undefined>;
  /** Of all namespaces unless one is named. A kind that this cluster does not have is an empty list. */
  list(kind: ResourceKind, filter?: ListFilter): Promise<readonly ClusterObject[]>;
  /** Server-side apply as the add-on's field manager; a `resourceVersion` in the object must be the present one. */
  apply(object: KubernetesObject, options?: ApplyOptions): Promise<ClusterObject>;
  /** What depends on it is deleted in the background. False: it is not there. */
  delete(of: ObjectReference, options?: DeleteOptions): Promise<boolean>;
  /** JSON merge patch of an object or of its status. */
  mergePatch(of: ObjectReference, body: object, subresource?: "status"): Promise<void>;
}
