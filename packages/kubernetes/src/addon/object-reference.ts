import type { KubernetesObject } from "../manifests/kubernetes-object.ts";
import { type ResourceKind, resourceKind } from "./resource-kinds.ts";

/** Which object, and how to reach it without knowing its kind: another version of confcom may have made it. */
export interface ObjectReference {
  readonly apiVersion: string;
  readonly kind: string;
  /** The plural in paths. */
  readonly resource: string;
  /** Absent for objects of the whole cluster. */
  readonly namespace?: string;
  readonly name: string;
}

export function referenceTo(object: KubernetesObject): ObjectReference {
  const kind = resourceKind(object);
  return reference(kind, object.metadata.name, object.metadata.namespace);
}

export function reference({ apiVersion, kind, resource }: ResourceKind, name: string, namespace?: string) {
  return { apiVersion, kind, resource, ...(namespace === undefined ? {} : { namespace }), name };
}

/** The same object has the same text, in messages too: `DaemonSet kube-system/sgx-plugin`. */
export function describeReference({ kind, namespace, name }: ObjectReference): string {
  return `${kind} ${namespace === undefined ? "" : `${namespace}/`}${name}`;
}

/** Equality across API versions of one group. */
export function referenceKey({ apiVersion, resource, namespace = "", name }: ObjectReference): string {
  const group = apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "";
  return [group, resource, namespace, name].join("/");
}

/** Path of a collection, or with a name of one object. Segments are escaped: a reference may come out of a cluster. */
export function apiPath(of: {
  readonly apiVersion: string;
  readonly resource: string;
  readonly namespace?: string;
  readonly name?: string;
}): string {
  const root = of.apiVersion.includes("/") ? "/apis" : "/api";
  const version = of.apiVersion.split("/").map(encodeURIComponent).join("/");
  const namespace = of.namespace === undefined ? "" : `/namespaces/${encodeURIComponent(of.namespace)}`;
  const name = of.name === undefined ? "" : `/${encodeURIComponent(of.name)}`;
  return `${root}/${version}${namespace}/${encodeURIComponent(of.resource)}${name}`;
}
