import assert from "node:assert/strict";
import { test } from "node:test";
import type { ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding } from "../admission-policy.ts";
import { evaluate } from "../template/evaluate.ts";
import type { Template } from "../template/expression.ts";
import { nodeStatusPolicies } from "./node-status-policies.ts";

const templates: readonly Template<ValidatingAdmissionPolicy | ValidatingAdmissionPolicyBinding>[] = nodeStatusPolicies;
const objects = templates.map((template) => evaluate(template, { values: { namespace: "kube-system" }, version: "1" }));
const policies = objects.filter((object): object is ValidatingAdmissionPolicy => "validations" in object.spec);

test("there are two policies, and each is bound", () => {
  assert.deepEqual(
    objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`),
    [
      "ValidatingAdmissionPolicy sgx-plugin-node-status",
      "ValidatingAdmissionPolicyBinding sgx-plugin-node-status",
      "ValidatingAdmissionPolicy sgx-plugin-node-events",
      "ValidatingAdmissionPolicyBinding sgx-plugin-node-events",
    ],
  );
});

test("only requests of node-status' own service account are looked at, and an error of the policy is a refusal", () => {
  for (const { spec } of policies) {
    assert.equal(spec.failurePolicy, "Fail");
    assert.deepEqual(
      spec.matchConditions?.map(({ expression }) => expression),
      ['request.userInfo.username == "system:serviceaccount:kube-system:sgx-plugin"'],
    );
  }
});

test("every kind of request on nodes and all their subresources is matched", () => {
  assert.deepEqual(policies[0]?.spec.matchConstraints.resourceRules, [
    { apiGroups: [""], apiVersions: ["*"], operations: ["*"], resources: ["nodes", "nodes/*"], scope: "*" },
  ]);
});

test("no expression is longer than the API server takes, and none names a thing that is not declared", () => {
  for (const { spec } of policies) {
    const declared = new Set((spec.variables ?? []).map(({ name }) => name));
    for (const { expression } of spec.validations) {
      assert.ok(expression.length < 16_384);
      for (const [, name] of expression.matchAll(/variables\.(\w+)/g))
        assert.ok(declared.has(name as string), String(name));
    }
  }
});

test("events are ours by name, before and after, and hold on to nothing", () => {
  const expressions = policies[1]?.spec.validations.map(({ expression }) => expression).join("\n") ?? "";
  for (const object of ["object", "oldObject"]) {
    assert.ok(expressions.includes(`${object}.reportingComponent == "confcom-device-plugin"`), object);
    assert.ok(expressions.includes(`${object}.source.component == "confcom-device-plugin"`), object);
  }
  for (const field of ["metadata.finalizers", "metadata.ownerReferences", "related"]) {
    assert.ok(expressions.includes(`has(object.${field})`), field);
  }
});
