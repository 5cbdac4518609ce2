import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { followedApiKey } from "./api-key-file.ts";

test("an API key file that goes away: the last key holds, said once; a new file is taken", () => {
  const directory = mkdtempSync(join(tmpdir(), "confcom-key-"));
  const path = join(directory, "key");
  const lines: string[] = [];
  try {
    writeFileSync(path, "first\n");
    const key = followedApiKey(path, (line) => lines.push(line));
    rmSync(path);
    assert.deepEqual([key(), key()], ["first", "first"]);
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? "", /the last key holds/);
    writeFileSync(path, "second\n");
    assert.equal(key(), "second");
  } finally {
    rmSync(directory, { recursive: true });
  }
});
