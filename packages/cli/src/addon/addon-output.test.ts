import assert from "node:assert/strict";
import { test } from "node:test";
import { outputFormat, tableLines } from "./addon-output.ts";

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

test("--json and another format contradict each other", () => {
  assert.equal(outputFormat({}), "json");
  assert.equal(outputFormat({}, "table"), "table");
  assert.equal(outputFormat({ json: true }, "table"), "json");
  assert.equal(outputFormat({ json: true, output: "json" }), "json");
  assert.equal(outputFormat({ output: "yaml" }), "yaml");
  assert.throws(() => outputFormat({ json: true, output: "yaml" }), /--json and -o yaml contradict each other/);
});
