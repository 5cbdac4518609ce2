import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { logTail } from "./log-tail.ts";

const directory = mkdtempSync(join(tmpdir(), "confcom-log-"));
const file = join(directory, "x.log");
after(() => rmSync(directory, { recursive: true }));

test("a short log is given whole", () => {
  writeFileSync(file, "one\ntwo\n");
  assert.equal(logTail(file, 100), "one\ntwo\n");
});

test("of a long one the last whole lines", () => {
  writeFileSync(file, "first line\nsecond\nthird\n");
  assert.equal(logTail(file, 16), "second\nthird\n");
  assert.equal(logTail(file, 8), "third\n");
});

test("a log that nobody wrote is empty", () => {
  assert.equal(logTail(join(directory, "absent"), 100), "");
});
