import type {
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
} from "../../node-status/admission-policy.ts";
import { labelsOf, PCCS_NAME } from "../object-names.ts";
import { values } from "../object-template.ts";
import type { Template } from "../template/expression.ts";
import { text } from "../template/language.ts";

const NAME = `${PCCS_NAME}-trust`;
const API_VERSION = "admissionregistration.k8s.io/v1";

/**
 * Narrows the right to make the user token's Secret again to Secrets of type Opaque: of another type it would be handed a
 * token of whatever service account its annotation names. Nobody else's requests are looked at.
 */
export function trustSecretPolicy(): readonly Template<ValidatingAdmissionPolicy | ValidatingAdmissionPolicyBinding>[] {
  const metadata = { name: NAME, labels: labelsOf(PCCS_NAME) };
  const user = text`system:serviceaccount:${values.namespace}:${PCCS_NAME}`;
  const policy: Template<ValidatingAdmissionPolicy> = {
    apiVersion: API_VERSION,
    kind: "ValidatingAdmissionPolicy",
    metadata,
    spec: {
      failurePolicy: "Fail",
      matchConstraints: {
        resourceRules: [
          { apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["secrets"], scope: "*" },
        ],
      },
      matchConditions: [{ name: "pccs-trust", expression: text`request.userInfo.username == "${user}"` }],
      validations: [
        {
          expression: 'object.type == "Opaque"',
          message: "pccs-trust makes Secrets of type Opaque",
          reason: "Forbidden",
        },
      ],
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
