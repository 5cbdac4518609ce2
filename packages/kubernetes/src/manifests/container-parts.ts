import type { Container, DaemonSet, EnvVar, PodSpec, Probe, SecurityContext } from "./kubernetes-object.ts";
import { type Component, labelsOf, selectorOf } from "./object-names.ts";
import type { ManifestValues } from "./values.ts";

/** The uid of `nonroot` in the image. */
export const NONROOT = 65532;

const NO_PRIVILEGE = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ["ALL"] },
  seccompProfile: { type: "RuntimeDefault" },
} as const satisfies SecurityContext;

/**
 * Uid 0 without any capability: the host directories these containers write to (the kubelet's, the socket's, the
 * state's) are made by the kubelet and belong to root. It may do no more than their owner may.
 */
export const ROOT_WITHOUT_CAPABILITIES: SecurityContext = { runAsUser: 0, runAsGroup: 0, ...NO_PRIVILEGE };

export const UNPRIVILEGED_USER: SecurityContext = {
  runAsNonRoot: true,
  runAsUser: NONROOT,
  runAsGroup: NONROOT,
  ...NO_PRIVILEGE,
};

export const NODE_NAME_ENV: EnvVar = { name: "NODE_NAME", valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } } };

export function imageOf(values: ManifestValues, version: string): Pick<Container, "image" | "imagePullPolicy"> {
  return { image: values.image ?? `localhost/confcom:${version}`, imagePullPolicy: values.imagePullPolicy };
}

export function httpProbe(path: string, port: number, times: Omit<Probe, "httpGet">): Probe {
  return { httpGet: { path, port }, ...times };
}

/** Restarts a container that has not answered for a minute. */
export function livenessProbe(port: number): Probe {
  return httpProbe("/healthz", port, { periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 });
}

type OwnPodFields = Pick<PodSpec, "containers" | "volumes" | "nodeSelector" | "terminationGracePeriodSeconds"> &
  Partial<Pick<PodSpec, "initContainers">> & {
    readonly rollingUpdate: DaemonSet["spec"]["updateStrategy"]["rollingUpdate"];
  };

/** What both DaemonSets have in common. */
export function daemonSet(component: Component, values: ManifestValues, pod: OwnPodFields): DaemonSet {
  const { imagePullSecrets, tolerations, affinity, priorityClassName, podAnnotations } = values;
  const { nodeSelector, initContainers, containers, volumes, terminationGracePeriodSeconds, rollingUpdate } = pod;
  return {
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    metadata: { name: component, namespace: values.namespace, labels: labelsOf(component) },
    spec: {
      selector: { matchLabels: selectorOf(component) },
      updateStrategy: { type: "RollingUpdate", rollingUpdate },
      template: {
        metadata: {
          labels: { ...values.podLabels, ...labelsOf(component) },
          ...(Object.keys(podAnnotations).length === 0 ? {} : { annotations: podAnnotations }),
        },
        spec: {
          serviceAccountName: component,
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          dnsPolicy: "Default",
          ...(priorityClassName === null ? {} : { priorityClassName }),
          terminationGracePeriodSeconds,
          ...(imagePullSecrets.length === 0 ? {} : { imagePullSecrets: imagePullSecrets.map((name) => ({ name })) }),
          nodeSelector: { ...values.nodeSelector, ...nodeSelector },
          ...(tolerations.length === 0 ? {} : { tolerations }),
          ...(affinity === null ? {} : { affinity }),
          ...(initContainers === undefined ? {} : { initContainers }),
          containers,
          volumes,
        },
      },
    },
  };
}
