import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { jsonReplacer } from "./output.ts";
import { printable } from "./printable.ts";
import { chooseStyle } from "./style.ts";
import { drawTree } from "./tree.ts";

const plain = chooseStyle({ NO_COLOR: "1" }, true);

test("colour needs a terminal, and NO_COLOR always wins", () => {
  assert.equal(chooseStyle({}, false).good("x"), "x");
  assert.notEqual(chooseStyle({}, true).good("x"), "x");
  assert.equal(chooseStyle({ NO_COLOR: "1", FORCE_COLOR: "1" }, true).good("x"), "x");
  assert.notEqual(chooseStyle({ NO_COLOR: "", FORCE_COLOR: "1" }, false).good("x"), "x");
  assert.equal(chooseStyle({ TERM: "dumb" }, true).good("x"), "x");
});

test("no text from outside can drive the terminal", () => {
  assert.equal(printable("\u001b[31mred\u0007"), "\\u{1b}[31mred\\u{7}");
  assert.equal(printable("a\u202eb"), "a\\u{202e}b");
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => /^[^\p{Cc}]*$/u.test(printable(text))));
});

test("a tree shows names, values, notes and its branches", () => {
  const tree = {
    name: "a",
    value: "1",
    children: [{ name: "b", note: "why", children: [{ name: "c" }] }, { name: "d" }],
  };
  assert.deepEqual(drawTree(tree, plain), ["a 1", "├─ b  why", "│  └─ c", "└─ d"]);
});

test("long values are cut only when asked", () => {
  const tree = { name: "a", value: "0123456789" };
  assert.deepEqual(drawTree(tree, plain, 5), ["a 0123…"]);
  assert.deepEqual(drawTree(tree, plain), ["a 0123456789"]);
});

test("JSON has bytes as hexadecimal and 64-bit numbers as text", () => {
  const value = { bytes: Uint8Array.of(1, 255), buffer: Buffer.from([2]), big: 2n ** 63n };
  assert.equal(JSON.stringify(value, jsonReplacer), '{"bytes":"01ff","buffer":"02","big":"9223372036854775808"}');
});
