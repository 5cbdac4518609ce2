import type {
  Affinity,
  Container,
  DaemonSet,
  EnvVar,
  PodSpec,
  Probe,
  SecurityContext,
  StringMap,
} from "./kubernetes-object.ts";
import { type Component, labelsOf, selectorOf } from "./object-names.ts";
import { values } from "./object-template.ts";
import type { Expression, Members, Template } from "./template/expression.ts";
import { each, isEmpty, isSet, item, merge, not, orElse, text, version, when } from "./template/language.ts";

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

/** Every container runs the one image. */
export const IMAGE: Members<Pick<Container, "image" | "imagePullPolicy">> = {
  image: orElse(values.image, text`localhost/confcom:${version}`),
  imagePullPolicy: values.imagePullPolicy,
};

/** What every daemon is told in the same way; `port` is of `/status`, probes and metrics. */
export const listenArgument = (option: string, port: number): Expression<string> =>
  text`--${option}=${values.listenAddress}:${port}`;
export const LOG_LEVEL_ARGUMENT: Expression<string> = text`--log-level=${values.logLevel}`;

export function httpProbe(path: string, port: number, times: Omit<Probe, "httpGet">): Probe {
  return { httpGet: { path, port }, ...times };
}

/** Restarts a container that has not answered for a minute. */
export function livenessProbe(port: number): Probe {
  return httpProbe("/healthz", port, { periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 });
}

/** Of every pod: what its owner wants on it, and our labels, which selectors know it by. */
export function podMetadata(component: Component): Members<PodTemplate["metadata"]> {
  return {
    labels: merge<StringMap>(values.podLabels, labelsOf(component)),
    annotations: when(not(isEmpty(values.podAnnotations)), values.podAnnotations),
  };
}

/** Of every pod: no token by itself, no variables about Services, and where its owner wants it. */
export function podDefaults(component: Component): Members<PodDefaults> {
  return {
    serviceAccountName: component,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    priorityClassName: when(isSet(values.priorityClassName), values.priorityClassName as Expression<string>),
    imagePullSecrets: when(
      not(isEmpty(values.imagePullSecrets)),
      each<{ name: string }>(values.imagePullSecrets, { name: item }),
    ),
    tolerations: when(not(isEmpty(values.tolerations)), values.tolerations),
    affinity: when(not(isEmpty(values.affinity)), values.affinity as Expression<Affinity>),
  };
}

type PodDefaults = Pick<
  PodSpec,
  | "serviceAccountName"
  | "automountServiceAccountToken"
  | "enableServiceLinks"
  | "priorityClassName"
  | "imagePullSecrets"
  | "tolerations"
  | "affinity"
>;
type PodTemplate = DaemonSet["spec"]["template"];

type OwnPodFields = Pick<PodSpec, "containers" | "volumes" | "nodeSelector" | "terminationGracePeriodSeconds"> &
  Partial<Pick<PodSpec, "initContainers" | "dnsPolicy">>;

/** What both DaemonSets have in common. */
export function daemonSet(
  component: Component,
  rollingUpdate: DaemonSet["spec"]["updateStrategy"]["rollingUpdate"],
  pod: Members<OwnPodFields>,
): Template<DaemonSet> {
  const { nodeSelector, initContainers, containers, volumes, terminationGracePeriodSeconds, dnsPolicy } = pod;
  const defaults = podDefaults(component);
  return {
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    metadata: { name: component, namespace: values.namespace, labels: labelsOf(component) },
    spec: {
      selector: { matchLabels: selectorOf(component) },
      updateStrategy: { type: "RollingUpdate", rollingUpdate },
      template: {
        metadata: podMetadata(component),
        spec: {
          ...defaults,
          dnsPolicy: dnsPolicy ?? "Default",
          terminationGracePeriodSeconds,
          nodeSelector: merge<StringMap>(values.nodeSelector, nodeSelector as Template<StringMap>),
          ...(initContainers === undefined ? {} : { initContainers }),
          containers,
          volumes,
        },
      },
    },
  };
}
