import { podDefaults, podMetadata } from "./container-parts.ts";
import type { Container, DaemonSet, KubernetesObject, PodSpec, StringMap } from "./kubernetes-object.ts";
import { type Component, labelsOf, selectorOf } from "./object-names.ts";
import { values } from "./object-template.ts";
import type { Members, Template } from "./template/expression.ts";

export interface Deployment extends KubernetesObject {
  readonly apiVersion: "apps/v1";
  readonly kind: "Deployment";
  readonly spec: {
    readonly replicas: number;
    readonly selector: { readonly matchLabels: StringMap };
    readonly strategy: DeploymentStrategy;
    readonly template: {
      readonly metadata: DaemonSet["spec"]["template"]["metadata"];
      readonly spec: DeploymentPodSpec;
    };
  };
}

type DeploymentStrategy =
  | { readonly type: "Recreate" }
  | {
      readonly type: "RollingUpdate";
      readonly rollingUpdate: { readonly maxUnavailable: number; readonly maxSurge: number };
    };

interface DeploymentPodSpec extends PodSpec {
  readonly containers: readonly DeploymentContainer[];
  readonly securityContext?: { readonly fsGroup: number; readonly fsGroupChangePolicy: "OnRootMismatch" };
  readonly topologySpreadConstraints?: readonly {
    readonly maxSkew: number;
    readonly topologyKey: string;
    readonly whenUnsatisfiable: "ScheduleAnyway";
    readonly labelSelector: { readonly matchLabels: StringMap };
    readonly matchLabelKeys: readonly string[];
  }[];
}

export interface DeploymentContainer extends Container {
  readonly lifecycle?: { readonly preStop: { readonly sleep: { readonly seconds: number } } };
}

interface DeploymentOptions {
  readonly replicas: Template<number>;
  readonly strategy: DeploymentStrategy;
  readonly pod: Members<
    Pick<DeploymentPodSpec, "containers" | "volumes" | "nodeSelector" | "terminationGracePeriodSeconds" | "dnsPolicy"> &
      Partial<Pick<DeploymentPodSpec, "initContainers" | "securityContext" | "topologySpreadConstraints">>
  >;
}

/** What the Deployments have in common with each other, and with the pods of the DaemonSets. */
export function deployment(component: Component, { replicas, strategy, pod }: DeploymentOptions): Template<Deployment> {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: component, namespace: values.namespace, labels: labelsOf(component) },
    spec: {
      replicas,
      selector: { matchLabels: selectorOf(component) },
      strategy,
      template: { metadata: podMetadata(component), spec: { ...podDefaults(component), ...pod } },
    },
  };
}
