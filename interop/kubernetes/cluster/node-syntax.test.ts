import assert from "node:assert/strict";
import { test } from "node:test";
import { ClusterError } from "./errors.ts";
import { checkNodes, parseNodes } from "./node-syntax.ts";

test("a node without a size has no SGX, one with a size has that much EPC on one NUMA node unless it says two", () => {
  assert.deepEqual(parseNodes("sgx-1:512, sgx-2:1024x2,plain-1"), [
    { name: "sgx-1", sgx: { epcMiB: 512, numaNodes: 1 } },
    { name: "sgx-2", sgx: { epcMiB: 1024, numaNodes: 2 } },
    { name: "plain-1" },
  ]);
});

test("no EPC at all is a size too: a machine whose firmware reserved none", () => {
  assert.deepEqual(parseNodes("a:0"), [{ name: "a", sgx: { epcMiB: 0, numaNodes: 1 } }]);
});

for (const text of ["", "A", "a:", "a:-1", "a:1x3", "a:1.5", "a,a", "a b", "a;reboot"]) {
  test(`"${text}" is no list of nodes`, () => {
    assert.throws(
      () => parseNodes(text),
      (error) => error instanceof ClusterError && error.code === "BAD_NAME",
    );
  });
}

test("too many nodes, and one of the control plane's name, are refused before anything starts", () => {
  const named = (count: number) => Array.from({ length: count }, (_, index) => ({ name: `n${index}` }));
  checkNodes(named(200));
  assert.throws(() => checkNodes(named(201)), { code: "BAD_NAME", message: /201 nodes are more than the 200/ });
  assert.throws(() => checkNodes([{ name: "control-plane" }]), { code: "BAD_NAME" });
});
