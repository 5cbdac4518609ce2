import assert from "node:assert/strict";
import { test } from "node:test";
import { nodeProblem } from "../node-problem.ts";
import { ProblemList } from "./problem-list.ts";

function listAt() {
  const time = { now: 1_700_000_000_000 };
  return {
    time,
    list: new ProblemList({ now: () => time.now, setTimeout: () => assert.fail(), clearTimeout: () => assert.fail() }),
  };
}

test("a problem keeps the time since when it is there, whatever its text says later", () => {
  const { time, list } = listAt();
  assert.equal(list.set("PLUGIN_UNREACHABLE", "first"), true);
  time.now += 1000;
  assert.equal(list.set("PLUGIN_UNREACHABLE", "second"), false);
  assert.deepEqual(
    list.list().map(({ message, since }) => [message, since]),
    [["second", "2023-11-14T22:13:20.000Z"]],
  );
});

test("subjects tell apart problems of one code", () => {
  const { list } = listAt();
  list.set("KUBELET_NEVER_CALLED", "a", { subject: "x/a" });
  list.set("KUBELET_NEVER_CALLED", "b", { subject: "x/b" });
  assert.equal(list.clear("KUBELET_NEVER_CALLED", "x/a"), true);
  assert.equal(list.clear("KUBELET_NEVER_CALLED", "x/a"), false);
  assert.deepEqual(
    list.list().map(({ message }) => message),
    ["b"],
  );
});

test("a group is replaced as a whole, and only what is new is answered", () => {
  const { list } = listAt();
  const gone = nodeProblem("SGX_DEVICE_MISSING", "gone");
  const unknown = nodeProblem("SGX_EPC_UNKNOWN", "unknown");
  list.set("PLUGIN_UNREACHABLE", "of no group");
  assert.deepEqual(list.replace("node", [gone]), [gone]);
  assert.deepEqual(list.replace("node", [gone, unknown]), [unknown]);
  assert.deepEqual(list.replace("other", []), []);
  assert.deepEqual(list.replace("node", []), []);
  assert.deepEqual(
    list.list().map(({ code }) => code),
    ["PLUGIN_UNREACHABLE"],
  );
});
