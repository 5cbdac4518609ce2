import type { KubernetesObject } from "./kubernetes-object.ts";
import { type Component, labelsOf } from "./object-names.ts";
import { values } from "./object-template.ts";
import type { Template } from "./template/expression.ts";

/** A ConfigMap, or a Secret with the type that cannot be changed later. */
interface ContentObject extends KubernetesObject {
  readonly type?: "Opaque";
}

/**
 * An object that a component fills in. It is among the manifests, empty, so that the component need not create it: RBAC
 * narrows that right to a name for server-side apply alone, and whoever may create any Secret of kube-system may have
 * the token of any service account there made. It also goes when the installation goes. Without `data` an apply leaves
 * alone what has been filled in.
 */
export function awaitingContent(
  component: Component,
  kind: "ConfigMap" | "Secret",
  name: string,
): Template<ContentObject> {
  return {
    apiVersion: "v1",
    kind,
    metadata: { name, namespace: values.namespace, labels: labelsOf(component) },
    ...(kind === "Secret" ? { type: "Opaque" } : {}),
  };
}
