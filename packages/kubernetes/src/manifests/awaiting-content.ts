import type { KubernetesObject } from "./kubernetes-object.ts";
import { type Component, labelsOf } from "./object-names.ts";
import { values } from "./object-template.ts";
import type { Template } from "./template/expression.ts";

/** A ConfigMap, or a Secret with the type that cannot be changed later. */
interface ContentObject extends KubernetesObject {
  readonly type?: "Opaque";
}

/**
 * An object that a component fills in. It is among the manifests, empty, because RBAC can narrow the right to change an
 * object to its name and the right to create one it cannot: whoever may create Secrets in kube-system may have the token
 * of any service account there made. It also goes when the installation goes. Without `data` an apply leaves alone what
 * has been filled in.
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
