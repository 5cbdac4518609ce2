import type { KubernetesObject, ObjectMeta } from "./kubernetes-object.ts";
import type { Template } from "./template/expression.ts";

// `admissionregistration.k8s.io/v1`, as far as our policies use it.

export interface ValidatingAdmissionPolicy extends KubernetesObject {
  readonly apiVersion: "admissionregistration.k8s.io/v1";
  readonly kind: "ValidatingAdmissionPolicy";
  readonly spec: {
    readonly failurePolicy: "Fail";
    readonly matchConstraints: {
      readonly namespaceSelector?: LabelSelector;
      readonly resourceRules: readonly RuleWithOperations[];
    };
    readonly matchConditions?: readonly NamedExpression[];
    readonly variables?: readonly NamedExpression[];
    readonly validations: readonly Validation[];
  };
}

export interface ValidatingAdmissionPolicyBinding extends KubernetesObject {
  readonly apiVersion: "admissionregistration.k8s.io/v1";
  readonly kind: "ValidatingAdmissionPolicyBinding";
  readonly spec: { readonly policyName: string; readonly validationActions: readonly string[] };
}

export interface RuleWithOperations {
  readonly apiGroups: readonly string[];
  readonly apiVersions: readonly string[];
  readonly operations: readonly string[];
  readonly resources: readonly string[];
  /** Written out where it is the default, too: an apply compares the list of rules as a whole with what is there. */
  readonly scope: "*" | "Namespaced";
}

export interface LabelSelector {
  readonly matchExpressions: readonly {
    readonly key: string;
    readonly operator: "In" | "NotIn";
    readonly values: readonly string[];
  }[];
}

/** CEL. */
export interface NamedExpression {
  readonly name: string;
  readonly expression: string;
}

export interface Validation {
  readonly expression: string;
  /** Also where the expression of the message fails, which the API server does not tell. */
  readonly message: string;
  /** CEL; at most 5 kB of result, without line breaks. */
  readonly messageExpression?: string;
  readonly reason: "Invalid" | "Forbidden";
}

const API_VERSION = "admissionregistration.k8s.io/v1";

/** A policy and what puts it in force. An error in it is a refusal: otherwise a request that causes one is past it. */
export function boundPolicy(
  metadata: ObjectMeta,
  spec: Template<Omit<ValidatingAdmissionPolicy["spec"], "failurePolicy">>,
  validationActions: Template<readonly string[]>,
): readonly [Template<ValidatingAdmissionPolicy>, Template<ValidatingAdmissionPolicyBinding>] {
  return [
    {
      apiVersion: API_VERSION,
      kind: "ValidatingAdmissionPolicy",
      metadata,
      spec: { failurePolicy: "Fail", ...spec } as Template<ValidatingAdmissionPolicy["spec"]>,
    },
    {
      apiVersion: API_VERSION,
      kind: "ValidatingAdmissionPolicyBinding",
      metadata,
      spec: { policyName: metadata.name, validationActions },
    },
  ];
}
