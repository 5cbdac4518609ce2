import {
  boundPolicy,
  type NamedExpression,
  type RuleWithOperations,
  type ValidatingAdmissionPolicy,
  type ValidatingAdmissionPolicyBinding,
} from "../admission-policy.ts";
import { type Component, labelsOf } from "../object-names.ts";
import { values } from "../object-template.ts";
import type { Template } from "../template/expression.ts";
import { text } from "../template/language.ts";

/** CEL that has to be true, and what is said where it is not. */
export type Narrowed = readonly [expression: string, message: string];

/** What one of our own service accounts may do of what its role has to grant. */
export interface Narrowing {
  readonly serviceAccount: Component;
  /** After the service account's, in the name of policy and binding. */
  readonly suffix: string;
  /** Who it is, in the policy's own words. */
  readonly who: string;
  readonly requests: RuleWithOperations;
  readonly variables?: readonly NamedExpression[];
  readonly validations: readonly Narrowed[];
}

/**
 * A policy, with its binding, that narrows what RBAC has to grant one of our service accounts. Nobody else's requests are
 * looked at.
 */
export function narrowingPolicy(
  narrowing: Narrowing,
): readonly [Template<ValidatingAdmissionPolicy>, Template<ValidatingAdmissionPolicyBinding>] {
  const { serviceAccount, suffix, who, requests, variables, validations } = narrowing;
  // A namespace's and a service account's names need no escaping in CEL.
  const isThem = text`request.userInfo.username == "system:serviceaccount:${values.namespace}:${serviceAccount}"`;
  return boundPolicy(
    { name: `${serviceAccount}-${suffix}`, labels: labelsOf(serviceAccount) },
    {
      matchConstraints: { resourceRules: [requests] },
      matchConditions: [{ name: who, expression: isThem }],
      ...(variables === undefined ? {} : { variables }),
      validations: validations.map(([expression, message]) => ({ expression, message, reason: "Forbidden" })),
    },
    ["Deny"],
  );
}
