/** A kind of object, and where the API server keeps it. */
export interface ResourceKind {
  readonly apiVersion: string;
  readonly kind: string;
  /** The plural in paths. */
  readonly resource: string;
  readonly namespaced: boolean;
}

const kind = (apiVersion: string, name: string, resource: string, namespaced: boolean): ResourceKind => ({
  apiVersion,
  kind: name,
  resource,
  namespaced,
});

const ADMISSION = "admissionregistration.k8s.io/v1";
const RBAC = "rbac.authorization.k8s.io/v1";

export const CONFIG_MAPS = kind("v1", "ConfigMap", "configmaps", true);
export const DAEMON_SETS = kind("apps/v1", "DaemonSet", "daemonsets", true);
export const DEPLOYMENTS = kind("apps/v1", "Deployment", "deployments", true);
export const NAMESPACES = kind("v1", "Namespace", "namespaces", false);
export const NODES = kind("v1", "Node", "nodes", false);
export const PERSISTENT_VOLUME_CLAIMS = kind("v1", "PersistentVolumeClaim", "persistentvolumeclaims", true);
export const PODS = kind("v1", "Pod", "pods", true);
export const SECRETS = kind("v1", "Secret", "secrets", true);

/**
 * Every kind that an installation may consist of, in the order in which they are taken away: first what acts on others,
 * then what runs, then its rights, and the policies that narrow those rights only after them.
 */
export const INSTALLED_KINDS: readonly ResourceKind[] = [
  kind(ADMISSION, "MutatingWebhookConfiguration", "mutatingwebhookconfigurations", false),
  kind(ADMISSION, "ValidatingWebhookConfiguration", "validatingwebhookconfigurations", false),
  DAEMON_SETS,
  DEPLOYMENTS,
  kind("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets", true),
  kind("v1", "Service", "services", true),
  kind("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", true),
  kind(RBAC, "RoleBinding", "rolebindings", true),
  kind(RBAC, "ClusterRoleBinding", "clusterrolebindings", false),
  kind(RBAC, "Role", "roles", true),
  kind(RBAC, "ClusterRole", "clusterroles", false),
  kind(ADMISSION, "ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings", false),
  kind(ADMISSION, "ValidatingAdmissionPolicy", "validatingadmissionpolicies", false),
  kind("v1", "ServiceAccount", "serviceaccounts", true),
  SECRETS,
  CONFIG_MAPS,
  PERSISTENT_VOLUME_CLAIMS,
  NAMESPACES,
];

const KNOWN = [...INSTALLED_KINDS, PODS, NODES];

/** Throws TypeError for a kind that no installation of this version has. */
export function resourceKind(of: { readonly apiVersion: string; readonly kind: string }): ResourceKind {
  const found = KNOWN.find((one) => one.apiVersion === of.apiVersion && one.kind === of.kind);
  if (found === undefined) throw new TypeError(`no place is known for ${of.apiVersion} ${of.kind}`);
  return found;
}
