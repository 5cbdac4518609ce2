import type { KubernetesObject } from "../kubernetes-object.ts";
import { labelsOf, POLICIES_NAME } from "../object-names.ts";
import { type ObjectTemplate, values } from "../object-template.ts";
import type { Template } from "../template/expression.ts";
import { equals, not, when } from "../template/language.ts";

/** `admissionregistration.k8s.io/v1`, as far as policies about pods use it. */
export interface PodPolicy extends KubernetesObject {
  readonly spec: {
    readonly failurePolicy: "Fail";
    readonly matchConstraints: {
      readonly namespaceSelector?: LabelSelector;
      readonly resourceRules: readonly RuleWithOperations[];
    };
    readonly variables: readonly NamedExpression[];
    readonly validations: readonly Validation[];
  };
}

export interface PodPolicyBinding extends KubernetesObject {
  readonly spec: { readonly policyName: string; readonly validationActions: readonly string[] };
}

export interface RuleWithOperations {
  readonly apiGroups: readonly string[];
  readonly apiVersions: readonly string[];
  readonly operations: readonly string[];
  readonly resources: readonly string[];
  readonly scope: string;
}

export interface LabelSelector {
  readonly matchExpressions: readonly {
    readonly key: string;
    readonly operator: "In" | "NotIn";
    readonly values: readonly string[];
  }[];
}

export interface NamedExpression {
  readonly name: string;
  readonly expression: string;
}

export interface Validation {
  readonly expression: string;
  /** Where the expression of the message fails, which the API server does not tell. */
  readonly message: string;
  /** CEL; at most 5 kB of result, without line breaks. */
  readonly messageExpression: string;
  readonly reason: "Invalid" | "Forbidden";
}

interface PodPolicyOptions {
  /** After {@link POLICIES_NAME} and a dash. */
  readonly name: string;
  /** Default: {@link POD_CREATION}. */
  readonly rule?: RuleWithOperations;
  /** Default: all namespaces. */
  readonly namespaceSelector?: Template<LabelSelector>;
  readonly variables: readonly NamedExpression[];
  readonly validations: readonly Validation[];
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

/** A policy and what puts it in force. An error in it refuses the pod: otherwise a pod that causes one is past it. */
export function podPolicy(options: PodPolicyOptions): readonly ObjectTemplate[] {
  const { rule = POD_CREATION, namespaceSelector, variables, validations, validationActions } = options;
  const apiVersion = "admissionregistration.k8s.io/v1";
  const metadata = { name: `${POLICIES_NAME}-${options.name}`, labels: labelsOf(POLICIES_NAME) };
  const policy: Template<PodPolicy> = {
    apiVersion,
    kind: "ValidatingAdmissionPolicy",
    metadata,
    spec: {
      failurePolicy: "Fail",
      matchConstraints: {
        ...(namespaceSelector === undefined ? {} : { namespaceSelector }),
        resourceRules: [rule],
      },
      variables,
      validations,
    },
  };
  const binding: Template<PodPolicyBinding> = {
    apiVersion,
    kind: "ValidatingAdmissionPolicyBinding",
    metadata,
    spec: { policyName: metadata.name, validationActions },
  };
  return [
    { part: "policies", object: policy },
    { part: "policies", object: binding },
  ];
}
