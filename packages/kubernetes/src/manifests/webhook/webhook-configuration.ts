import { INJECTION_LABEL } from "../../names.ts";
import type { LabelSelector, NamedExpression, RuleWithOperations } from "../admission-policy.ts";
import type { KubernetesObject } from "../kubernetes-object.ts";
import { labelsOf, WEBHOOK_NAME } from "../object-names.ts";
import { values } from "../object-template.ts";
import { CONCERNS_SGX } from "../policies/pod-expressions.ts";
import { EXEMPT_NAMESPACES, POD_CREATION } from "../policies/pod-policy.ts";
import type { Template } from "../template/expression.ts";

export interface MutatingWebhookConfiguration extends KubernetesObject {
  readonly webhooks: readonly {
    readonly name: string;
    readonly admissionReviewVersions: readonly string[];
    /** Without caBundle: the webhook writes it. */
    readonly clientConfig: {
      readonly service: {
        readonly name: string;
        readonly namespace: string;
        readonly path: string;
        readonly port: number;
      };
    };
    readonly rules: readonly RuleWithOperations[];
    readonly namespaceSelector: LabelSelector;
    readonly matchConditions: readonly NamedExpression[];
    readonly failurePolicy: "Ignore";
    readonly matchPolicy: "Equivalent";
    readonly reinvocationPolicy: "IfNeeded";
    readonly sideEffects: "None";
    readonly timeoutSeconds: number;
  }[];
}

/** What a namespace can choose with {@link INJECTION_LABEL}: one way of opting in, or none. A word that is neither counts as `slot`. */
const NAMESPACES = {
  slot: { key: INJECTION_LABEL, operator: "NotIn", values: ["mount", "disabled"] },
  mount: { key: INJECTION_LABEL, operator: "In", values: ["mount"] },
} as const;

/** Seconds. It answers in milliseconds; a pod waits for so long when its replica has just died. */
const TIMEOUT = 5;

/**
 * Two entries, of which a namespace's label chooses at most one: the request does not say the namespace's labels. Pods
 * without anything of SGX never get here; without an answer a pod is created as it was written.
 */
export function webhookConfiguration(): Template<MutatingWebhookConfiguration> {
  return {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "MutatingWebhookConfiguration",
    metadata: { name: WEBHOOK_NAME, labels: labelsOf(WEBHOOK_NAME) },
    webhooks: [entry("slot"), entry("mount")],
  };
}

function entry(injection: keyof typeof NAMESPACES): Template<MutatingWebhookConfiguration["webhooks"][number]> {
  return {
    name: `${injection}.${WEBHOOK_NAME}.confcom.dev`,
    admissionReviewVersions: ["v1"],
    clientConfig: {
      service: { name: WEBHOOK_NAME, namespace: values.namespace, path: `/mutate/${injection}`, port: 443 },
    },
    rules: [POD_CREATION],
    namespaceSelector: { matchExpressions: [EXEMPT_NAMESPACES, NAMESPACES[injection]] },
    matchConditions: [{ name: "concerns-sgx", expression: CONCERNS_SGX }],
    failurePolicy: "Ignore",
    matchPolicy: "Equivalent",
    // Another webhook may add the container or the variable after us.
    reinvocationPolicy: "IfNeeded",
    sideEffects: "None",
    timeoutSeconds: TIMEOUT,
  };
}
