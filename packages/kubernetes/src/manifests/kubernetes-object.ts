/** The parts of the Kubernetes API that our manifests use; field names and meanings are the API's. */

/** Anything that can be applied to a cluster. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
}

export interface ObjectMeta {
  readonly name: string;
  /** Absent for objects of the whole cluster. */
  readonly namespace?: string;
  readonly labels?: StringMap;
  readonly annotations?: StringMap;
}

export type StringMap = Readonly<Record<string, string>>;

/** Quantities are text: the API server writes numbers in other forms than it was given (spec: Kubernetes §1.3). */
export interface ResourceRequirements {
  readonly requests?: StringMap;
  readonly limits?: StringMap;
}

export interface Toleration {
  readonly key?: string;
  readonly operator?: "Exists" | "Equal";
  readonly value?: string;
  readonly effect?: "NoSchedule" | "PreferNoSchedule" | "NoExecute";
  readonly tolerationSeconds?: number;
}

/** Passed on as it is: the API server knows its many fields, and names those that are wrong. */
export interface Affinity {
  readonly nodeAffinity?: object;
  readonly podAffinity?: object;
  readonly podAntiAffinity?: object;
}

export interface SecurityContext {
  readonly privileged?: boolean;
  readonly allowPrivilegeEscalation?: boolean;
  readonly readOnlyRootFilesystem?: boolean;
  readonly runAsNonRoot?: boolean;
  readonly runAsUser?: number;
  readonly runAsGroup?: number;
  readonly capabilities?: { readonly drop: readonly string[] };
  readonly seccompProfile?: { readonly type: "RuntimeDefault" };
}

export interface EnvVar {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly fieldRef: { readonly fieldPath: string } };
}

export interface VolumeMount {
  readonly name: string;
  readonly mountPath: string;
  readonly readOnly?: boolean;
  /** Mounts below it read-only too, where the container runtime can (containerd 2); elsewhere as without it. */
  readonly recursiveReadOnly?: "IfPossible";
}

export interface Probe {
  readonly httpGet: { readonly path: string; readonly port: number | string };
  /** Without it every start is told as "Unhealthy" in the pod's events. */
  readonly initialDelaySeconds?: number;
  readonly periodSeconds: number;
  readonly timeoutSeconds: number;
  readonly failureThreshold: number;
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly imagePullPolicy: string;
  readonly args: readonly string[];
  readonly env?: readonly EnvVar[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number; readonly protocol: "TCP" }[];
  readonly readinessProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly resources: ResourceRequirements;
  readonly securityContext: SecurityContext;
  readonly volumeMounts: readonly VolumeMount[];
}

export interface HostPathVolumeSource {
  readonly path: string;
  readonly type: "Directory" | "DirectoryOrCreate" | "File";
}

export interface KeyToPath {
  readonly key: string;
  readonly path: string;
}

export interface Volume {
  readonly name: string;
  readonly hostPath?: HostPathVolumeSource;
  readonly emptyDir?: { readonly medium?: "Memory"; readonly sizeLimit?: string };
  readonly projected?: { readonly defaultMode: number; readonly sources: readonly object[] };
  readonly configMap?: { readonly name: string; readonly items?: readonly KeyToPath[] };
  readonly secret?: {
    readonly secretName: string;
    readonly defaultMode?: number;
    readonly items?: readonly KeyToPath[];
  };
  readonly persistentVolumeClaim?: { readonly claimName: string };
}

export interface PodSpec {
  readonly serviceAccountName: string;
  readonly automountServiceAccountToken: false;
  readonly enableServiceLinks: false;
  /** "Default": the node's, which needs nothing that runs in the cluster. */
  readonly dnsPolicy: "Default" | "ClusterFirst";
  readonly priorityClassName?: string;
  readonly terminationGracePeriodSeconds: number;
  readonly imagePullSecrets?: readonly { readonly name: string }[];
  readonly nodeSelector: StringMap;
  readonly tolerations?: readonly Toleration[];
  readonly affinity?: Affinity;
  readonly initContainers?: readonly Container[];
  readonly containers: readonly Container[];
  readonly volumes: readonly Volume[];
}

export interface DaemonSet extends KubernetesObject {
  readonly apiVersion: "apps/v1";
  readonly kind: "DaemonSet";
  readonly spec: {
    readonly selector: { readonly matchLabels: StringMap };
    readonly updateStrategy: {
      readonly type: "RollingUpdate";
      readonly rollingUpdate: { readonly maxUnavailable: number; readonly maxSurge: number };
    };
    readonly template: {
      readonly metadata: { readonly labels: StringMap; readonly annotations?: StringMap };
      readonly spec: PodSpec;
    };
  };
}

export interface PolicyRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

export interface Role extends KubernetesObject {
  readonly apiVersion: "rbac.authorization.k8s.io/v1";
  readonly kind: "Role" | "ClusterRole";
  readonly rules: readonly PolicyRule[];
}

export interface RoleBinding extends KubernetesObject {
  readonly apiVersion: "rbac.authorization.k8s.io/v1";
  readonly kind: "RoleBinding" | "ClusterRoleBinding";
  readonly roleRef: { readonly apiGroup: string; readonly kind: "Role" | "ClusterRole"; readonly name: string };
  readonly subjects: readonly { readonly kind: "ServiceAccount"; readonly name: string; readonly namespace: string }[];
}

export interface ServiceAccount extends KubernetesObject {
  readonly apiVersion: "v1";
  readonly kind: "ServiceAccount";
  readonly automountServiceAccountToken: false;
}
