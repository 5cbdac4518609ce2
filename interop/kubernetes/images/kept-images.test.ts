import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { BuiltImage } from "../../../deploy/image/oci-image.ts";
import { type Images, keptImages } from "./images.ts";

test("an archive that is kept outlives the one in the cache", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "confcom-kept-images-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const archive = join(directory, "pause.tar");
  writeFileSync(archive, "layers");
  const built = { pause: { name: "localhost/pause:1", archive } as BuiltImage } as Images<"pause">;
  const { pause } = await keptImages(built, join(directory, "kept"));
  rmSync(archive);
  assert.equal(pause.name, "localhost/pause:1");
  assert.equal(readFileSync(pause.archive, "utf8"), "layers");
});
