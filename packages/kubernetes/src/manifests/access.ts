import type { PolicyRule, Role, RoleBinding, ServiceAccount } from "./kubernetes-object.ts";
import { type Component, labelsOf, PLUGIN_NAME } from "./object-names.ts";
import { values } from "./object-template.ts";
import type { Template } from "./template/expression.ts";

/** Where events about nodes are kept: they belong to no namespace of their own. */
const NODE_EVENT_NAMESPACE = "default";

/**
 * What `node-status` may do. RBAC knows no "own node": the ValidatingAdmissionPolicy beside it narrows the patch to the
 * node the token is bound to, and to our keys.
 */
const NODE_RULES: readonly PolicyRule[] = [
  { apiGroups: [""], resources: ["nodes"], verbs: ["get"] },
  { apiGroups: [""], resources: ["nodes/status"], verbs: ["patch"] },
];

const EVENT_RULES: readonly PolicyRule[] = [{ apiGroups: [""], resources: ["events"], verbs: ["create", "patch"] }];

const RBAC = "rbac.authorization.k8s.io";

/** No token comes with it by itself: the one container that needs one mounts it. */
export function serviceAccount(component: Component): Template<ServiceAccount> {
  return {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: { name: component, namespace: values.namespace, labels: labelsOf(component) },
    automountServiceAccountToken: false,
  };
}

/** The rights of the service account `sgx-plugin`, which only the container `node-status` uses. */
export function pluginAccess(): readonly Template<Role | RoleBinding>[] {
  const labels = labelsOf(PLUGIN_NAME);
  const subjects = [{ kind: "ServiceAccount", name: PLUGIN_NAME, namespace: values.namespace }] as const;
  const events = { name: `${PLUGIN_NAME}-events`, namespace: NODE_EVENT_NAMESPACE, labels };
  const clusterRole: Template<Role> = {
    apiVersion: `${RBAC}/v1`,
    kind: "ClusterRole",
    metadata: { name: PLUGIN_NAME, labels },
    rules: NODE_RULES,
  };
  const clusterRoleBinding: Template<RoleBinding> = {
    apiVersion: `${RBAC}/v1`,
    kind: "ClusterRoleBinding",
    metadata: { name: PLUGIN_NAME, labels },
    roleRef: { apiGroup: RBAC, kind: "ClusterRole", name: PLUGIN_NAME },
    subjects,
  };
  const role: Template<Role> = { apiVersion: `${RBAC}/v1`, kind: "Role", metadata: events, rules: EVENT_RULES };
  const roleBinding: Template<RoleBinding> = {
    apiVersion: `${RBAC}/v1`,
    kind: "RoleBinding",
    metadata: events,
    roleRef: { apiGroup: RBAC, kind: "Role", name: events.name },
    subjects,
  };
  return [clusterRole, clusterRoleBinding, role, roleBinding];
}
