import type { PolicyRule, Role, RoleBinding } from "./kubernetes-object.ts";
import { type Component, labelsOf } from "./object-names.ts";
import { values } from "./object-template.ts";
import type { Template } from "./template/expression.ts";

const RBAC = "rbac.authorization.k8s.io";

/** Rule for single objects. RBAC narrows `create` so for server-side apply alone, whose request has the object's name. */
export interface NamedRule extends PolicyRule {
  readonly resourceNames: readonly string[];
}

/** Rights of a component's service account in the add-on's namespace. */
export function roleOf(component: Component, rules: readonly NamedRule[]): readonly Template<Role | RoleBinding>[] {
  return bound(component, "Role", { name: component, namespace: values.namespace, labels: labelsOf(component) }, rules);
}

/** Rights of a component's service account to objects of the whole cluster. */
export function clusterRoleOf(
  component: Component,
  rules: readonly NamedRule[],
): readonly Template<Role | RoleBinding>[] {
  return bound(component, "ClusterRole", { name: component, labels: labelsOf(component) }, rules);
}

function bound(
  component: Component,
  kind: Role["kind"],
  metadata: Template<Role["metadata"]>,
  rules: readonly NamedRule[],
): readonly Template<Role | RoleBinding>[] {
  const role: Template<Role> = { apiVersion: `${RBAC}/v1`, kind, metadata, rules };
  const binding: Template<RoleBinding> = {
    apiVersion: `${RBAC}/v1`,
    kind: `${kind}Binding`,
    metadata,
    roleRef: { apiGroup: RBAC, kind, name: component },
    subjects: [{ kind: "ServiceAccount", name: component, namespace: values.namespace }],
  };
  return [role, binding];
}
