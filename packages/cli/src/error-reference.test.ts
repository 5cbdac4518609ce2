import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { errorReference } from "./error-reference.ts";

test("docs/errors.md lists exactly the codes that the packages have (npm run docs:errors writes it)", () => {
  assert.equal(readFileSync(new URL("../../../docs/errors.md", import.meta.url), "utf8"), errorReference());
});
