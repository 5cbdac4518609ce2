import type { KubernetesObject } from "../kubernetes-object.ts";
import { type Component, labelsOf } from "../object-names.ts";
import { values } from "../object-template.ts";
import type { Template } from "../template/expression.ts";
import { text } from "../template/language.ts";

export interface ValidatingAdmissionPolicy extends KubernetesObject {
  readonly apiVersion: "admissionregistration.k8s.io/v1";
  readonly kind: "ValidatingAdmissionPolicy";
  readonly spec: {
    readonly failurePolicy: "Fail";
    readonly matchConstraints: { readonly resourceRules: readonly NarrowedRequests[] };
    readonly matchConditions: readonly CelExpression[];
    readonly variables?: readonly CelExpression[];
    readonly validations: readonly {
      readonly expression: string;
      readonly message: string;
      readonly reason: "Forbidden";
    }[];
  };
}

export interface ValidatingAdmissionPolicyBinding extends KubernetesObject {
  readonly apiVersion: "admissionregistration.k8s.io/v1";
  readonly kind: "ValidatingAdmissionPolicyBinding";
  readonly spec: { readonly policyName: string; readonly validationActions: readonly ["Deny"] };
}

export interface NarrowedRequests {
  readonly apiGroups: readonly string[];
  readonly apiVersions: readonly string[];
  readonly operations: readonly string[];
  readonly resources: readonly string[];
  /** The default; written out, because an apply compares the list of rules as a whole with what is there. */
  readonly scope: "*";
}

export interface CelExpression {
  readonly name: string;
  readonly expression: string;
}

/** CEL that has to be true, and what is said where it is not. */
export type Validation = readonly [expression: string, message: string];

/** What one of our own service accounts may do of what its role has to grant. */
export interface Narrowing {
  readonly serviceAccount: Component;
  /** After the service account's, in the name of policy and binding. */
  readonly suffix: string;
  /** Who it is, in the policy's own words. */
  readonly who: string;
  readonly requests: NarrowedRequests;
  readonly variables?: readonly CelExpression[];
  readonly validations: readonly Validation[];
}

const API_VERSION = "admissionregistration.k8s.io/v1";

/**
 * A policy, with its binding, that narrows what RBAC has to grant one of our service accounts. Nobody else's requests are
 * looked at, and an error of the policy is a refusal.
 */
export function narrowingPolicy(
  narrowing: Narrowing,
): readonly [Template<ValidatingAdmissionPolicy>, Template<ValidatingAdmissionPolicyBinding>] {
  const { serviceAccount, suffix, who, requests, variables, validations } = narrowing;
  const metadata = { name: `${serviceAccount}-${suffix}`, labels: labelsOf(serviceAccount) };
  const policy: Template<ValidatingAdmissionPolicy> = {
    apiVersion: API_VERSION,
    kind: "ValidatingAdmissionPolicy",
    metadata,
    spec: {
      failurePolicy: "Fail",
      matchConstraints: { resourceRules: [requests] },
      matchConditions: [
        {
          name: who,
          // A namespace's and a service account's names need no escaping in CEL.
          expression: text`request.userInfo.username == "system:serviceaccount:${values.namespace}:${serviceAccount}"`,
        },
      ],
      ...(variables === undefined ? {} : { variables }),
      validations: validations.map(([expression, message]) => ({ expression, message, reason: "Forbidden" })),
    },
  };
  const binding: Template<ValidatingAdmissionPolicyBinding> = {
    apiVersion: API_VERSION,
    kind: "ValidatingAdmissionPolicyBinding",
    metadata,
    spec: { policyName: metadata.name, validationActions: ["Deny"] },
  };
  return [policy, binding];
}
