import { serviceAccount } from "../access.ts";
import { awaitingContent } from "../awaiting-content.ts";
import type { KubernetesObject } from "../kubernetes-object.ts";
import { trustSecretPolicy } from "../narrowing/trust-secret-policy.ts";
import { labelsOf, PCCS_NAME, PCCS_PORT, PCCS_USER_TOKEN_SECRET, QUOTE_ROOT_CONFIG_MAP } from "../object-names.ts";
import { type ObjectTemplate, values } from "../object-template.ts";
import { roleOf } from "../role.ts";
import { service } from "../service.ts";
import type { Expression, Template } from "../template/expression.ts";
import { isSet, not, when } from "../template/language.ts";
import { PCCS_CLAIM, PCCS_PORT_NAME, pccsDeployment } from "./pccs-deployment.ts";

export interface PersistentVolumeClaim extends KubernetesObject {
  readonly spec: {
    readonly accessModes: readonly ["ReadWriteOnce"];
    readonly storageClassName?: string;
    readonly resources: { readonly requests: { readonly storage: string } };
  };
}

/**
 * What somebody deletes is made again, by server-side apply: its request names the object, so that `create` is narrowed to
 * the name as well. A POST names none and stays forbidden.
 */
const KEEPS_RIGHT = ["get", "patch", "create"] as const;

/** The cluster's own PCCS, in the order in which it is to be applied; for installations without `pccs.url`. */
export const pccsTemplates: readonly ObjectTemplate[] = [
  { part: "pccs", object: serviceAccount(PCCS_NAME) },
  { part: "pccs", object: awaitingContent(PCCS_NAME, "ConfigMap", QUOTE_ROOT_CONFIG_MAP) },
  { part: "pccs", object: awaitingContent(PCCS_NAME, "Secret", PCCS_USER_TOKEN_SECRET) },
  ...trustSecretPolicy.map((object) => ({ part: "pccs", object }) as const),
  ...roleOf(PCCS_NAME, [
    { apiGroups: [""], resources: ["configmaps"], resourceNames: [QUOTE_ROOT_CONFIG_MAP], verbs: KEEPS_RIGHT },
    { apiGroups: [""], resources: ["secrets"], resourceNames: [PCCS_USER_TOKEN_SECRET], verbs: KEEPS_RIGHT },
  ]).map((object) => ({ part: "pccs", object }) as const),
  { part: "pccs", object: service(PCCS_NAME, { name: "https", port: PCCS_PORT, targetPort: PCCS_PORT_NAME }) },
  { part: "pccs", when: not(isSet(values.pccs.storage.hostPath)), object: claim() },
  { part: "pccs", object: pccsDeployment() },
];

/** For `sgx-pccs`, whose database and provisioning CA outlive its pod. */
function claim(): Template<PersistentVolumeClaim> {
  const { size, className } = values.pccs.storage;
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name: PCCS_CLAIM, namespace: values.namespace, labels: labelsOf(PCCS_NAME) },
    spec: {
      accessModes: ["ReadWriteOnce"],
      storageClassName: when(isSet(className), className as Expression<string>),
      resources: { requests: { storage: size } },
    },
  };
}
