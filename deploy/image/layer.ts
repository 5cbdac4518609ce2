import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { chmod, copyFile, lutimes, mkdir, mkdtemp, readdir, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { pipeline } from "node:stream/promises";
import { runProgram } from "./program.ts";

/** One thing in an image's file system. Everything belongs to root. */
export type LayerEntry =
  | { readonly kind: "directory"; readonly path: string; readonly mode: number }
  | { readonly kind: "file"; readonly path: string; readonly mode: number; readonly content: string | Uint8Array }
  | { readonly kind: "file"; readonly path: string; readonly mode: number; readonly source: string }
  | { readonly kind: "symlink"; readonly path: string; readonly target: string };

export interface Layer {
  /** What the layer holds, for the image's history. */
  readonly comment: string;
  readonly entries: readonly LayerEntry[];
}

/** The files in a directory and those below it, readable by all, to appear under `path`. */
export async function filesOf(directory: string, path: string): Promise<LayerEntry[]> {
  const found = await readdir(directory, { recursive: true, withFileTypes: true });
  const names = found
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
    .sort();
  return names.map((name) => ({ kind: "file", path: join(path, name), mode: 0o644, source: join(directory, name) }));
}

/** Everything in an image is this old, so that the same content is the same image. */
const EPOCH_SECONDS = 0;

/** SHA-256, hexadecimal, over path, mode and content of everything in the layer: equal keys mean equal layers. */
export async function layerKey(layer: Layer): Promise<string> {
  const hash = createHash("sha256");
  for (const entry of [...layer.entries].sort(byPath)) hash.update(`${JSON.stringify(await describe(entry))}\n`);
  return hash.digest("hex");
}

async function describe(entry: LayerEntry): Promise<readonly (string | number)[]> {
  switch (entry.kind) {
    case "directory":
      return ["directory", entry.path, entry.mode];
    case "symlink":
      return ["symlink", entry.path, entry.target];
    case "file": {
      const digest = createHash("sha256");
      if ("source" in entry) await pipeline(createReadStream(entry.source), digest);
      else digest.update(entry.content);
      return ["file", entry.path, entry.mode, digest.digest("hex")];
    }
  }
}

/** Writes the layer as an uncompressed tar archive that depends on nothing but the layer. */
export async function writeLayer(layer: Layer, archive: string): Promise<void> {
  const stage = await mkdtemp(join(tmpdir(), "confcom-layer-"));
  try {
    // umask would take bits off: every mode is set explicitly, the parents' that no entry names too.
    await chmod(stage, 0o755);
    const directories = new Map<string, number>();
    for (const entry of layer.entries) {
      for (let parent = dirname(entry.path); parent !== "/"; parent = dirname(parent)) {
        if (!directories.has(parent)) directories.set(parent, 0o755);
      }
      if (entry.kind === "directory") directories.set(entry.path, entry.mode);
    }
    for (const [path, mode] of [...directories].sort(([a], [b]) => (a < b ? -1 : 1))) {
      await mkdir(join(stage, path), { recursive: true });
      await chmod(join(stage, path), mode);
    }
    for (const entry of layer.entries) await place(entry, join(stage, entry.path));
    await archiveDirectory(stage, archive);
  } finally {
    await rm(stage, { recursive: true, force: true });
  }
}

async function place(entry: LayerEntry, to: string): Promise<void> {
  if (entry.kind === "directory") return;
  if (entry.kind === "symlink") {
    await symlink(entry.target, to);
    await lutimes(to, EPOCH_SECONDS, EPOCH_SECONDS);
    return;
  }
  if ("source" in entry) await copyFile(entry.source, to);
  else await writeFile(to, entry.content);
  await chmod(to, entry.mode);
  await utimes(to, EPOCH_SECONDS, EPOCH_SECONDS);
}

/** A tar archive of a directory's content: sorted, owned by root, as old as everything else here. */
export async function archiveDirectory(
  directory: string,
  archive: string,
  options: readonly string[] = [],
): Promise<void> {
  const reproducible = ["--sort=name", `--mtime=@${EPOCH_SECONDS}`, "--owner=0", "--group=0", "--numeric-owner"];
  await runProgram("tar", [...reproducible, "--format=gnu", ...options, "-C", directory, "-cf", archive, "."], {
    wayOut: "apt-get install tar (GNU tar)",
  });
}

function byPath(a: LayerEntry, b: LayerEntry): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}
