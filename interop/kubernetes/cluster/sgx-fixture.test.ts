import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { createSysfsNode, writeEpc } from "./sgx-fixture.ts";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "confcom-sysfs-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

const bytes = (node: number) => Number(readFileSync(join(directory, `node${node}/x86/sgx_total_bytes`), "utf8"));

test("EPC is told in bytes, as the kernel does", () => {
  createSysfsNode(directory, { epcMiB: 512 });
  assert.equal(bytes(0), 536_870_912);
});

test("two NUMA nodes share it, and the odd MiB is the first one's", () => {
  createSysfsNode(directory, { epcMiB: 513, numaNodes: 2 });
  assert.deepEqual([bytes(0), bytes(1)], [257 * 1_048_576, 256 * 1_048_576]);
  writeEpc(directory, 10);
  assert.deepEqual([bytes(0), bytes(1)], [5 * 1_048_576, 5 * 1_048_576]);
});

test("a machine without SGX has NUMA nodes and no such file", () => {
  createSysfsNode(directory, undefined);
  assert.equal(existsSync(join(directory, "node0")), true);
  assert.equal(existsSync(join(directory, "node0/x86")), false);
});
