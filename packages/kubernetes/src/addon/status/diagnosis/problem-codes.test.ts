import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { ADDON_PROBLEMS, problemTable } from "./problem-codes.ts";

const document = readFileSync(new URL("../../../../../../docs/troubleshooting.md", import.meta.url), "utf8");

test("docs/troubleshooting.md has the table as it is here", () => {
  const rows = document.split("\n").filter((line) => /^\| `[A-Z_]+` \| (error|warning) \|/.test(line));
  assert.deepEqual(rows, problemTable());
});

test("every code that docs/troubleshooting.md names exists", () => {
  const named = new Set(
    [...document.matchAll(/`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)`/g)].map((match) => match[1] as string),
  );
  const others = ["NO_COLOR", "SGX_AESM_ADDR"];
  assert.deepEqual(
    [...named].filter((code) => !Object.hasOwn(ADDON_PROBLEMS, code) && !others.includes(code)),
    [],
  );
});
