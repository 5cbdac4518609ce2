import assert from "node:assert/strict";
import { test } from "node:test";
import { printable } from "./words.ts";

test("words of people pass as they are", () => {
  assert.equal(printable('the root is named "Ünïcode 🔒", which'), 'the root is named "Ünïcode 🔒", which');
});

test("what a terminal or a log would act on is spelled out: control, direction, line separators, half characters", () => {
  assert.equal(
    printable("a\n\u001b[2Jb\u0085\u202ec\u2028\ud83d"),
    "a\\u{a}\\u{1b}[2Jb\\u{85}\\u{202e}c\\u{2028}\\u{d83d}",
  );
});

test("a flood is cut to a readable length that says how long it was", () => {
  assert.equal(printable("x".repeat(5_000_000)), `${"x".repeat(1000)}… (5000000 characters)`);
});
