import { WEBHOOK_NAME } from "../object-names.ts";
import { narrowingPolicy } from "./narrowing-policy.ts";

/** All of an entry but `clientConfig.caBundle`, which is the webhook's to write. */
const OTHERS_FIELDS = [
  "name",
  "?clientConfig.?url",
  "?clientConfig.?service",
  "?rules",
  "?namespaceSelector",
  "?objectSelector",
  "?matchConditions",
  "?failurePolicy",
  "?matchPolicy",
  "?reinvocationPolicy",
  "?sideEffects",
  "?timeoutSeconds",
  "?admissionReviewVersions",
];

const entries = (object: string, field: string): string => `${object}.?webhooks.orValue([]).map(w, w.${field})`;

/**
 * Narrows the webhook's right to patch its configuration to the caBundle, which RBAC cannot. Who writes rules and
 * addresses there is told of every object of the cluster, Secrets too, and changes them at will.
 */
export const bundlePolicy = narrowingPolicy({
  serviceAccount: WEBHOOK_NAME,
  suffix: "bundle",
  who: "sgx-webhook",
  requests: {
    apiGroups: ["admissionregistration.k8s.io"],
    apiVersions: ["*"],
    operations: ["UPDATE"],
    resources: ["mutatingwebhookconfigurations"],
    scope: "*",
  },
  validations: OTHERS_FIELDS.map((field) => [
    `${entries("object", field)} == ${entries("oldObject", field)}`,
    "sgx-webhook changes the caBundle and nothing else",
  ]),
});
