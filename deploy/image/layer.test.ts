import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { type Layer, type LayerEntry, layerKey, writeLayer } from "./layer.ts";

const place = mkdtempSync(join(tmpdir(), "confcom-layer-test-"));
after(() => rmSync(place, { recursive: true, force: true }));

const source = join(place, "program");
writeFileSync(source, "program", { mode: 0o600 });

const entries: readonly LayerEntry[] = [
  { kind: "directory", path: "/tmp", mode: 0o1777 },
  { kind: "file", path: "/opt/app/program", mode: 0o755, source },
  { kind: "file", path: "/etc/passwd", mode: 0o644, content: "root:x:0:0\n" },
  { kind: "symlink", path: "/bin", target: "usr/bin" },
];
const layer: Layer = { comment: "test", entries };

describe("a layer's key", () => {
  it("does not depend on the order of entries or on what the layer is called", async () => {
    assert.equal(await layerKey({ comment: "other", entries: entries.toReversed() }), await layerKey(layer));
  });

  it("changes with path, mode, content, and target", async () => {
    const changed: LayerEntry[] = [
      { kind: "directory", path: "/tmp", mode: 0o755 },
      { kind: "file", path: "/opt/app/other", mode: 0o755, source },
      { kind: "file", path: "/etc/passwd", mode: 0o644, content: "root:x:0:1\n" },
      { kind: "symlink", path: "/bin", target: "usr/sbin" },
    ];
    const keys = new Set([await layerKey(layer)]);
    for (const [index, entry] of changed.entries()) {
      keys.add(await layerKey({ comment: "test", entries: entries.with(index, entry) }));
    }
    assert.equal(keys.size, 1 + changed.length);
  });

  it("is the same for a file's content wherever it comes from", async () => {
    const inline: LayerEntry = { kind: "file", path: "/opt/app/program", mode: 0o755, content: "program" };
    assert.equal(await layerKey({ comment: "test", entries: entries.with(1, inline) }), await layerKey(layer));
  });
});

describe("a layer's archive", () => {
  it("is the same bytes whenever it is written, whatever the age of its files", async () => {
    const [first, second] = [join(place, "first.tar"), join(place, "second.tar")];
    await writeLayer(layer, first);
    utimesSync(source, 1_000_000_000, 1_000_000_000);
    await writeLayer({ comment: "test", entries: entries.toReversed() }, second);
    assert.ok(readFileSync(first).equals(readFileSync(second)));
  });

  it("gives everything to root, with the modes asked for, whatever the umask", async () => {
    const archive = join(place, "modes.tar");
    const umask = process.umask(0o077);
    try {
      await writeLayer(layer, archive);
    } finally {
      process.umask(umask);
    }
    const listing = execFileSync("tar", ["--utc", "--full-time", "-tvf", archive], { encoding: "utf8" });
    const found = listing
      .trimEnd()
      .split("\n")
      .map((line) => line.split(/\s+/))
      .map(([mode, owner, , date, , ...path]) => [mode, owner, date, path.join(" ")].join(" "));
    assert.deepEqual(found, [
      "drwxr-xr-x 0/0 1970-01-01 ./",
      "lrwxrwxrwx 0/0 1970-01-01 ./bin -> usr/bin",
      "drwxr-xr-x 0/0 1970-01-01 ./etc/",
      "-rw-r--r-- 0/0 1970-01-01 ./etc/passwd",
      "drwxr-xr-x 0/0 1970-01-01 ./opt/",
      "drwxr-xr-x 0/0 1970-01-01 ./opt/app/",
      "-rwxr-xr-x 0/0 1970-01-01 ./opt/app/program",
      "drwxrwxrwt 0/0 1970-01-01 ./tmp/",
    ]);
  });
});
