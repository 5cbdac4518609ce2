import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { exposedFiles } from "./exposed-files.ts";

test("keys that everybody can read and token files that others can write are named, others not", (t) => {
  const directory = mkdtempSync(join(tmpdir(), "confcom-pccs-files-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = (name: string, mode: number) => {
    const path = join(directory, name);
    writeFileSync(path, "x");
    chmodSync(path, mode);
    return path;
  };
  const lines = exposedFiles({
    secret: [file("key", 0o600), file("readable", 0o644), file("of the group", 0o640), undefined],
    trusted: [file("tokens", 0o644), file("writable", 0o620), join(directory, "none")],
  });
  assert.equal(lines.length, 2);
  writeFileSync(join(directory, "empty"), "", { mode: 0o600 });
  assert.match(exposedFiles({ secret: [], trusted: [join(directory, "empty")] })[0] ?? "", /empty: there is no such/);
  assert.match(lines[0] ?? "", /readable has mode 644: everybody/);
  assert.match(lines[1] ?? "", /writable has mode 620: others/);
});
