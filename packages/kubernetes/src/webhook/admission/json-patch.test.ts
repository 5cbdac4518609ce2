import assert from "node:assert/strict";
import { test } from "node:test";
import { jsonPointer, PatchBuilder } from "./json-patch.ts";
import { applyJsonPatch } from "./testing/apply-json-patch.ts";

test("a pointer escapes what separates its steps", () => {
  assert.equal(jsonPointer(["a/b", 0, "c~d"]), "/a~1b/0/c~0d");
});

test("maps and lists that are missing or null are made once, those that are there are kept", () => {
  const object = { a: { b: null, list: [1] } };
  const patch = new PatchBuilder(object);
  patch.set(["a", "b", "c"], "x/y", 1);
  patch.set(["a", "b", "c"], "z", 2);
  patch.append(["a", "list"], 2);
  patch.append(["a", "other"], 3);
  patch.append(["a", "other"], 4);
  assert.deepEqual(applyJsonPatch(object, patch.operations), {
    a: { b: { c: { "x/y": 1, z: 2 } }, list: [1, 2], other: [3, 4] },
  });
  assert.deepEqual(object, { a: { b: null, list: [1] } });
});

test("a member that is there is taken away", () => {
  const object = { a: { "b/c": 1, d: 2 } };
  const patch = new PatchBuilder(object);
  patch.remove(["a"], "b/c");
  assert.deepEqual(applyJsonPatch(object, patch.operations), { a: { d: 2 } });
});
