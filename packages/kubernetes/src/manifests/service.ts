import type { KubernetesObject, StringMap } from "./kubernetes-object.ts";
import { type Component, labelsOf, selectorOf } from "./object-names.ts";
import { values } from "./object-template.ts";
import type { Template } from "./template/expression.ts";

export interface Service extends KubernetesObject {
  readonly apiVersion: "v1";
  readonly kind: "Service";
  readonly spec: { readonly selector: StringMap; readonly ports: readonly ServicePort[] };
}

interface ServicePort {
  readonly name: string;
  readonly protocol: "TCP";
  readonly port: number;
  /** Of the container, by name. */
  readonly targetPort: string;
}

/** A name in the cluster for the pods of a Deployment that are ready. */
export function service(component: Component, port: Omit<ServicePort, "protocol">): Template<Service> {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: component, namespace: values.namespace, labels: labelsOf(component) },
    spec: { selector: selectorOf(component), ports: [{ protocol: "TCP", ...port }] },
  };
}
