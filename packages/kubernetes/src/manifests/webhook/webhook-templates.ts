import { serviceAccount } from "../access.ts";
import { awaitingContent } from "../awaiting-content.ts";
import type { KubernetesObject, StringMap } from "../kubernetes-object.ts";
import { bundlePolicy } from "../narrowing/bundle-policy.ts";
import { labelsOf, selectorOf, WEBHOOK_AUTHORITY_SECRET, WEBHOOK_NAME } from "../object-names.ts";
import { type ObjectTemplate, values } from "../object-template.ts";
import { clusterRoleOf, roleOf } from "../role.ts";
import { service } from "../service.ts";
import type { Template } from "../template/expression.ts";
import { equals, not } from "../template/language.ts";
import { webhookConfiguration } from "./webhook-configuration.ts";
import { WEBHOOK_PORT_NAME, webhookDeployment } from "./webhook-deployment.ts";

export interface PodDisruptionBudget extends KubernetesObject {
  readonly spec: {
    readonly minAvailable: number;
    readonly selector: { readonly matchLabels: StringMap };
    /** Replicas that do not work hold up no drain. */
    readonly unhealthyPodEvictionPolicy: "AlwaysAllow";
  };
}

/** What fills in what applications need not write, in the order in which it is to be applied. */
export const webhookTemplates: readonly ObjectTemplate[] = [
  { part: "webhook", object: serviceAccount(WEBHOOK_NAME) },
  { part: "webhook", object: awaitingContent(WEBHOOK_NAME, "Secret", WEBHOOK_AUTHORITY_SECRET) },
  // Before the rights that it narrows.
  ...[
    ...bundlePolicy,
    ...roleOf(WEBHOOK_NAME, [
      {
        apiGroups: [""],
        resources: ["secrets"],
        resourceNames: [WEBHOOK_AUTHORITY_SECRET],
        verbs: ["get", "update"],
      },
    ]),
    ...clusterRoleOf(WEBHOOK_NAME, [
      {
        apiGroups: ["admissionregistration.k8s.io"],
        resources: ["mutatingwebhookconfigurations"],
        resourceNames: [WEBHOOK_NAME],
        verbs: ["get", "patch"],
      },
    ]),
  ].map((object) => ({ part: "webhook", object }) as const),
  { part: "webhook", object: service(WEBHOOK_NAME, { name: "https", port: 443, targetPort: WEBHOOK_PORT_NAME }) },
  // With one replica it would hold up every drain of its node.
  { part: "webhook", when: not(equals(values.webhook.replicas, 1)), object: disruptionBudget() },
  { part: "webhook", object: webhookDeployment() },
  { part: "webhook", object: webhookConfiguration() },
];

function disruptionBudget(): Template<PodDisruptionBudget> {
  return {
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: { name: WEBHOOK_NAME, namespace: values.namespace, labels: labelsOf(WEBHOOK_NAME) },
    spec: {
      minAvailable: 1,
      selector: { matchLabels: selectorOf(WEBHOOK_NAME) },
      unhealthyPodEvictionPolicy: "AlwaysAllow",
    },
  };
}
