import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { VERSION } from "../version.ts";

const run = promisify(execFile);
const bin = (name: string) => fileURLToPath(new URL(`../../bin/${name}.mjs`, import.meta.url));
const said = async (name: string, ...args: string[]) => (await run(process.execPath, [bin(name), ...args])).stdout;

test("kubectl confcom VERB is confcom addon VERB; other words are the command's own", async () => {
  const verb = ["list-available", "-o", "table"];
  assert.equal(await said("kubectl-confcom", ...verb), await said("confcom", "addon", ...verb));
  assert.equal(await said("kubectl-confcom", "addon", ...verb), await said("confcom", "addon", ...verb));
  assert.equal((await said("kubectl-confcom", "--version")).trim(), VERSION);
});
