import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { janitorScript } from "./cgroup-janitor.ts";
import { CGROUP_MOUNT } from "./cgroups.ts";

let mount = "";
beforeEach(() => {
  mount = mkdtempSync(join(tmpdir(), "confcom-janitor-"));
  mkdirSync(join(mount, "memory/confcom-dev-x/sgx-1/kubepods"), { recursive: true });
  mkdirSync(join(mount, "memory/other"), { recursive: true });
});
afterEach(() => rmSync(mount, { recursive: true }));

function run(input: string): void {
  const script = janitorScript("confcom-dev-x").replaceAll(CGROUP_MOUNT, mount);
  assert.equal(spawnSync("sh", ["-c", script], { input, timeout: 30_000 }).status, 0);
}

test("when nobody is left to dismiss it, it removes the tree from every hierarchy and nothing else", () => {
  run("");
  assert.equal(existsSync(join(mount, "memory/confcom-dev-x")), false);
  assert.equal(existsSync(join(mount, "memory/other")), true);
});

test("dismissed, it touches nothing: a tree of that name may be the next cluster's", () => {
  run("done\n");
  assert.equal(existsSync(join(mount, "memory/confcom-dev-x/sgx-1/kubepods")), true);
});
