import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { GENERATED_DIRECTORY, generateApi, generatedName, PROTO_FILES } from "./generate.ts";

const withoutProtoc = spawnSync("protoc", ["--version"]).status === 0 ? false : "protoc is not installed";

for (const file of PROTO_FILES) {
  test(`the generated code is what ${file} generates`, { skip: withoutProtoc }, () => {
    assert.equal(readFileSync(join(GENERATED_DIRECTORY, generatedName(file)), "utf8"), generateApi(file));
  });
}
