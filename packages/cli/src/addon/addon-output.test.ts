import assert from "node:assert/strict";
import { test } from "node:test";
import { tableLines } from "./addon-output.ts";

test("columns are as wide as their heading and two more, or as their widest cell; what is null everywhere has none", () => {
  const rows = [
    { name: "confcom", enabled: true, identity: null },
    { name: "a-longer-name", enabled: false, identity: null },
  ];
  assert.deepEqual(tableLines(rows), [
    "Name           Enabled",
    "-------------  ---------",
    "confcom        True",
    "a-longer-name  False",
  ]);
});

test("text from a cluster cannot drive the terminal", () => {
  assert.equal(tableLines([{ name: "\u001b[31m" }])[2], "\\u{1b}[31m");
});
