import {
  boundPolicy,
  type LabelSelector,
  type NamedExpression,
  type RuleWithOperations,
  type Validation,
} from "../admission-policy.ts";
import { labelsOf, POLICIES_NAME } from "../object-names.ts";
import { type ObjectTemplate, values } from "../object-template.ts";
import type { Template } from "../template/expression.ts";
import { equals, not, when } from "../template/language.ts";

/** The message says which container it is about. */
export type PodValidation = Required<Validation>;

interface PodPolicyOptions {
  /** After {@link POLICIES_NAME} and a dash. */
  readonly name: string;
  /** Default: {@link POD_CREATION}. */
  readonly rule?: RuleWithOperations;
  /** Default: all namespaces. */
  readonly namespaceSelector?: Template<LabelSelector>;
  readonly variables: readonly NamedExpression[];
  readonly validations: readonly PodValidation[];
  readonly validationActions: Template<readonly string[]>;
}

/**
 * Creation of pods, whoever creates them. Written out with their defaults, because an apply compares lists as a whole.
 * What a pod asks for is changed later by {@link POD_RESIZE} alone.
 */
export const POD_CREATION: RuleWithOperations = {
  apiGroups: [""],
  apiVersions: ["v1"],
  operations: ["CREATE"],
  resources: ["pods"],
  scope: "Namespaced",
};

/** Changes of what a pod asks for. */
export const POD_RESIZE: RuleWithOperations = { ...POD_CREATION, operations: ["UPDATE"], resources: ["pods/resize"] };

/** Namespaces that are never looked at: that of the cluster's own pods, and that of the add-on's. */
export const EXEMPT_NAMESPACES: LabelSelectorRequirement = {
  key: "kubernetes.io/metadata.name",
  operator: "NotIn",
  values: ["kube-system", when(not(equals(values.namespace, "kube-system")), values.namespace)],
};

type LabelSelectorRequirement = Template<LabelSelector["matchExpressions"][number]>;

/** A policy about pods and what puts it in force. */
export function podPolicy(options: PodPolicyOptions): readonly ObjectTemplate[] {
  const { rule = POD_CREATION, namespaceSelector, variables, validations, validationActions } = options;
  const policy = boundPolicy(
    { name: `${POLICIES_NAME}-${options.name}`, labels: labelsOf(POLICIES_NAME) },
    {
      matchConstraints: {
        ...(namespaceSelector === undefined ? {} : { namespaceSelector }),
        resourceRules: [rule],
      },
      variables,
      validations,
    },
    validationActions,
  );
  return policy.map((object) => ({ part: "policies", object }));
}
