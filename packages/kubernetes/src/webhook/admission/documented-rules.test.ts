import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const read = (path: string): string => readFileSync(fileURLToPath(new URL(path, import.meta.url)), "utf8");

test("docs/webhook.md has a row for each rule that has an example beside this file, and no other", () => {
  const tests = readdirSync(new URL(".", import.meta.url)).filter((file) => file.endsWith("-rules.test.ts"));
  const tested = tests.flatMap((file) => [...read(file).matchAll(/\brule:? "?([EQS]\d+)\b/g)].map((match) => match[1]));
  const documented = [...read("../../../../../docs/webhook.md").matchAll(/^\| ([EQS]\d+) \|/gm)].map(
    (match) => match[1],
  );
  assert.ok(documented.length > 0);
  assert.deepEqual(documented.toSorted(), [...new Set(tested)].toSorted());
});
