import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { VERSION } from "../packages/cli/src/version.ts";
import { manifestFiles } from "./manifest-files.ts";

test("the manifests in the repository are what `npm run manifests` writes", () => {
  for (const [name, text] of manifestFiles(VERSION)) {
    assert.equal(readFileSync(new URL(name, import.meta.url), "utf8"), text, name);
  }
});
