import type {
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
} from "../../node-status/admission-policy.ts";
import { labelsOf, WEBHOOK_NAME } from "../object-names.ts";
import { values } from "../object-template.ts";
import type { Template } from "../template/expression.ts";
import { text } from "../template/language.ts";

const NAME = `${WEBHOOK_NAME}-bundle`;
const API_VERSION = "admissionregistration.k8s.io/v1";

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
 * addresses there is told of every object of the cluster, Secrets too, and changes them at will. Nobody else's requests
 * are looked at.
 */
export function bundlePolicy(): readonly Template<ValidatingAdmissionPolicy | ValidatingAdmissionPolicyBinding>[] {
  const metadata = { name: NAME, labels: labelsOf(WEBHOOK_NAME) };
  const user = text`system:serviceaccount:${values.namespace}:${WEBHOOK_NAME}`;
  const policy: Template<ValidatingAdmissionPolicy> = {
    apiVersion: API_VERSION,
    kind: "ValidatingAdmissionPolicy",
    metadata,
    spec: {
      failurePolicy: "Fail",
      matchConstraints: {
        resourceRules: [
          {
            apiGroups: ["admissionregistration.k8s.io"],
            apiVersions: ["*"],
            operations: ["UPDATE"],
            resources: ["mutatingwebhookconfigurations"],
            scope: "*",
          },
        ],
      },
      matchConditions: [{ name: "sgx-webhook", expression: text`request.userInfo.username == "${user}"` }],
      validations: OTHERS_FIELDS.map((field) => ({
        expression: `${entries("object", field)} == ${entries("oldObject", field)}`,
        message: "sgx-webhook changes the caBundle and nothing else",
        reason: "Forbidden",
      })),
    },
  };
  const binding: Template<ValidatingAdmissionPolicyBinding> = {
    apiVersion: API_VERSION,
    kind: "ValidatingAdmissionPolicyBinding",
    metadata,
    spec: { policyName: NAME, validationActions: ["Deny"] },
  };
  return [policy, binding];
}
