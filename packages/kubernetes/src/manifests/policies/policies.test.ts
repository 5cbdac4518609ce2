import assert from "node:assert/strict";
import { test } from "node:test";
import type { ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding } from "../admission-policy.ts";
import type { KubernetesObject } from "../kubernetes-object.ts";
import { evaluate } from "../template/evaluate.ts";
import { manifestValues } from "../values.ts";
import { CONCERNS_SGX } from "./pod-expressions.ts";
import { policyTemplates } from "./policy-templates.ts";

// What the API server makes of them is tried on a real one: interop/kubernetes/checks/policies.ts.

const render = (given: unknown = {}): readonly KubernetesObject[] =>
  policyTemplates.map(({ object }) => evaluate(object, { values: manifestValues(given), version: "1" }));
const policies = (given?: unknown) =>
  render(given).filter((object): object is ValidatingAdmissionPolicy => object.kind === "ValidatingAdmissionPolicy");
const bindings = (given?: unknown) =>
  render(given).filter(
    (object): object is ValidatingAdmissionPolicyBinding => object.kind === "ValidatingAdmissionPolicyBinding",
  );

test("four policies about pods, each bound, each of the part that values.policies switches", () => {
  assert.deepEqual(
    policies().map(({ metadata }) => metadata.name),
    ["sgx-policies-quoting-mode", "sgx-policies-epc-amount", "sgx-policies-provision", "sgx-policies-resize"],
  );
  assert.deepEqual(
    bindings().map(({ metadata, spec }) => [metadata.name, spec.policyName]),
    policies().map(({ metadata }) => [metadata.name, metadata.name]),
  );
  assert.deepEqual([...new Set(policyTemplates.map(({ part }) => part))], ["policies"]);
});

test("every creation and every resize of a pod is looked at, and what cannot be evaluated is refused", () => {
  const looksAt: string[] = [];
  for (const { metadata, spec } of policies()) {
    assert.equal(metadata.labels?.["app.kubernetes.io/part-of"], "confcom");
    assert.equal(spec.failurePolicy, "Fail");
    looksAt.push(
      ...spec.matchConstraints.resourceRules.map(({ operations, resources }) => `${operations} ${resources}`),
    );
  }
  assert.deepEqual(looksAt, ["CREATE pods", "CREATE pods", "CREATE pods", "UPDATE pods/resize"]);
});

test("the provisioning key is for labelled namespaces, kube-system and the add-on's own", () => {
  const selected = (namespace: string) =>
    policies({ namespace }).map(({ spec }) => spec.matchConstraints.namespaceSelector?.matchExpressions);
  const name = { key: "kubernetes.io/metadata.name", operator: "NotIn" };
  const label = { key: "sgx.confcom.dev/provision", operator: "NotIn", values: ["allowed"] };
  assert.deepEqual(selected("kube-system"), [
    undefined,
    undefined,
    [{ ...name, values: ["kube-system"] }, label],
    undefined,
  ]);
  assert.deepEqual(selected("sgx")[2], [{ ...name, values: ["kube-system", "sgx"] }, label]);
});

test("only what is said about the provisioning key is a value; mistakes are always refused", () => {
  for (const provision of ["Deny", "Warn", "Audit"]) {
    assert.deepEqual(
      bindings({ policies: { provision } }).map(({ spec }) => spec.validationActions),
      [["Deny"], ["Deny"], [provision], ["Deny"]],
    );
  }
});

test("expressions name declared variables alone, and can stand in a Helm template", () => {
  for (const { spec } of policies()) {
    const { variables = [] } = spec;
    const declared = new Set(variables.map(({ name }) => name));
    const expressions = [...variables.map(({ expression }) => expression), CONCERNS_SGX];
    for (const { expression, message, messageExpression } of spec.validations) {
      assert.ok(messageExpression !== undefined, message);
      expressions.push(expression, messageExpression);
      assert.doesNotMatch(message, /\n/);
    }
    for (const expression of expressions) {
      assert.ok(expression.length < 16_384);
      assert.doesNotMatch(expression, /\{\{|\}\}|\n/);
      for (const [, name = ""] of expression.matchAll(/variables\.(\w+)/g)) assert.ok(declared.has(name), name);
    }
  }
});

test("init containers are looked at wherever containers are", () => {
  const reading = policies().flatMap(({ spec }) =>
    (spec.variables ?? [])
      .map(({ expression }) => expression.replaceAll("oldObject.", "object."))
      .filter((text) => /containers/i.test(text)),
  );
  assert.ok(reading.length >= 6);
  for (const expression of reading) {
    assert.ok(expression.startsWith("(object.spec.containers + object.spec.?initContainers.orValue([]))"), expression);
  }
});
