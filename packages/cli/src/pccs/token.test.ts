import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Output } from "../terminal/output.ts";
import { makeToken, readTokenHashes } from "./token.ts";

const silent = { line: () => {}, json: () => {} } as unknown as Output;

test("a new token's hash is a line of its own, also after a last line without its end", (t) => {
  const directory = mkdtempSync(join(tmpdir(), "confcom-token-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const [file, made] = [join(directory, "there"), join(directory, "made")];
  const former = "AB".repeat(64);
  writeFileSync(file, former);
  for (const _ of [1, 2]) makeToken({ file }, silent);
  const hashes = readTokenHashes("--user-token-file", file);
  assert.deepEqual([hashes.length, hashes[0]], [3, former]);
  for (const hash of hashes) assert.match(hash, /^[0-9A-Fa-f]{128}$/);
  makeToken({ file: made }, silent);
  assert.equal(statSync(made).mode & 0o777, 0o600);
  assert.match(readFileSync(made, "utf8"), /^[0-9a-f]{128}\n$/);
});
