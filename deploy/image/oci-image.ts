import { createHash } from "node:crypto";
import { cp, link, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { arch } from "node:os";
import { join } from "node:path";
import { archiveDirectory, type Layer, layerKey, writeLayer } from "./layer.ts";
import { runProgram } from "./program.ts";

// Images without a daemon: umoci puts layers and configuration into an OCI layout, tar makes one file of it. The same
// content gives the same bytes, so a file that is there already need not be built again.

export interface ImageRecipe {
  /** Registry, name and tag, such as `localhost/confcom:0.1.0`; a name without a registry would get a default one. */
  readonly name: string;
  /** From the bottom up: what seldom changes first, because everything below the last layer is kept between builds. */
  readonly layers: readonly Layer[];
  readonly entrypoint: readonly string[];
  /** `uid:gid`; root unless given. */
  readonly user?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly workingDirectory?: string;
  /** Both labels of the image and annotations of its manifest. */
  readonly labels: Readonly<Record<string, string>>;
}

export interface BuiltImage {
  readonly name: string;
  /** An OCI archive, for `ctr images import`, `podman load`, `skopeo copy oci-archive:`. */
  readonly archive: string;
  readonly archiveBytes: number;
  /** Digest of the image's manifest. */
  readonly digest: string;
  /** True when the archive was there already. */
  readonly cached: boolean;
}

const UMOCI = { wayOut: "apt-get install umoci" };
const CREATED = "1970-01-01T00:00:00Z";
/** In every key: a change of how images are put together makes new images. */
const FORMAT = "1";
const TAG = "image";
/** Archives of the same image that stay beside the newest one. */
const KEPT = 5;
const UNFINISHED = "work-";
/** No build takes this long: what is older was left by a builder that was killed. */
const ABANDONED_MS = 3_600_000;

/**
 * Builds the image into `directory` as `<name>-<key>.tar`, unless that is there. `cache` keeps what lies below the last
 * layer. Two builders at once are harmless: each works in a directory of its own and the rename at the end is atomic.
 */
export async function buildImage(
  recipe: ImageRecipe,
  places: { readonly directory: string; readonly cache: string },
): Promise<BuiltImage> {
  const keys: string[] = [];
  for (const layer of recipe.layers) {
    keys.push(sha256(FORMAT, keys.at(-1) ?? "", layer.comment, await layerKey(layer)));
  }
  const { layers: _, ...configuration } = recipe;
  const key = sha256(keys.at(-1) ?? "", JSON.stringify(configuration), arch()).slice(0, 16);
  const title = recipe.name.replace(/^.*\//, "").replace(/:.*$/, "");
  const archive = join(places.directory, `${title}-${key}.tar`);
  const known = await sizeOf(archive);
  if (known !== undefined) return built(recipe.name, archive, known, await readDigest(archive), true);

  await mkdir(places.directory, { recursive: true });
  await mkdir(places.cache, { recursive: true });
  await removeAbandoned(places.cache);
  const work = await mkdtemp(join(places.cache, UNFINISHED));
  try {
    const layout = join(work, "layout");
    await stackLayers(recipe.layers, keys, places.cache, layout, work);
    await configure(recipe, layout);
    const digest = await nameImage(layout, recipe.name);
    const unfinished = join(work, "archive.tar");
    await archiveDirectory(layout, unfinished, ["--mode=u=rwX,go=rX"]);
    await writeFile(`${archive}.digest`, `${digest}\n`);
    await rename(unfinished, archive);
    await prune(places.directory, title, archive);
    return built(recipe.name, archive, (await stat(archive)).size, digest, false);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

function built(name: string, archive: string, archiveBytes: number, digest: string, cached: boolean): BuiltImage {
  return { name, archive, archiveBytes, digest, cached };
}

/** Leaves an OCI layout with all layers at `layout`, from the highest kept stack on. */
async function stackLayers(
  layers: readonly Layer[],
  keys: readonly string[],
  cache: string,
  layout: string,
  work: string,
): Promise<void> {
  const kept = (index: number): string => join(cache, `layers-${(keys[index] as string).slice(0, 32)}`);
  let next = layers.length - 1;
  while (next > 0 && (await sizeOf(kept(next - 1))) === undefined) next -= 1;
  if (next > 0) await copyLayout(kept(next - 1), layout);
  else {
    await runProgram("umoci", ["init", "--layout", layout], UMOCI);
    await runProgram("umoci", ["new", "--image", `${layout}:${TAG}`], UMOCI);
  }
  for (; next < layers.length; next += 1) {
    const layer = layers[next] as Layer;
    const tar = join(work, "layer.tar");
    await writeLayer(layer, tar);
    const history = ["--history.created", CREATED, "--history.created_by", layer.comment];
    await runProgram("umoci", ["raw", "add-layer", "--image", `${layout}:${TAG}`, ...history, tar], UMOCI);
    if (next < layers.length - 1) await keep(layout, kept(next), work);
  }
}

async function keep(layout: string, destination: string, work: string): Promise<void> {
  const copy = join(work, "kept");
  await copyLayout(layout, copy);
  // Another builder may have kept the same stack meanwhile; either is as good.
  await rename(copy, destination).catch(() => rm(copy, { recursive: true, force: true }));
}

/** Copies an OCI layout; blobs, which nobody changes, are linked. */
async function copyLayout(from: string, to: string): Promise<void> {
  const blobs = join("blobs", "sha256");
  await mkdir(join(to, blobs), { recursive: true });
  for (const name of ["oci-layout", "index.json"]) await cp(join(from, name), join(to, name));
  for (const name of await readdir(join(from, blobs))) await link(join(from, blobs, name), join(to, blobs, name));
}

async function configure(recipe: ImageRecipe, layout: string): Promise<void> {
  const args = ["config", "--image", `${layout}:${TAG}`, "--no-history", "--created", CREATED];
  for (const word of recipe.entrypoint) args.push("--config.entrypoint", word);
  if (recipe.user !== undefined) args.push("--config.user", recipe.user);
  if (recipe.workingDirectory !== undefined) args.push("--config.workingdir", recipe.workingDirectory);
  args.push("--config.stopsignal", "SIGTERM");
  for (const [name, value] of Object.entries(recipe.env ?? {})) args.push("--config.env", `${name}=${value}`);
  for (const [name, value] of Object.entries(recipe.labels).sort(([a], [b]) => (a < b ? -1 : 1))) {
    args.push("--config.label", `${name}=${value}`, "--manifest.annotation", `${name}=${value}`);
  }
  await runProgram("umoci", args, UMOCI);
  await runProgram("umoci", ["gc", "--layout", layout], UMOCI);
}

/** Writes the image's name where containerd and where everybody else looks for it; its manifest's digest. */
async function nameImage(layout: string, name: string): Promise<string> {
  const path = join(layout, "index.json");
  const index = JSON.parse(await readFile(path, "utf8")) as {
    manifests: { digest: string; annotations?: Record<string, string> }[];
  };
  const [manifest] = index.manifests;
  if (manifest === undefined || index.manifests.length !== 1) throw new Error(`${path}: expected one image`);
  manifest.annotations = { "io.containerd.image.name": name, "org.opencontainers.image.ref.name": name };
  await writeFile(path, JSON.stringify(index));
  return manifest.digest;
}

async function readDigest(archive: string): Promise<string> {
  return (await readFile(`${archive}.digest`, "utf8")).trim();
}

/** Removes older archives of the same image. */
async function prune(directory: string, title: string, newest: string): Promise<void> {
  const pattern = new RegExp(`^${title.replaceAll(/[^\w-]/g, ".")}-[0-9a-f]{16}\\.tar$`);
  const older: { path: string; changed: number }[] = [];
  for (const name of await readdir(directory)) {
    const path = join(directory, name);
    if (pattern.test(name) && path !== newest) older.push({ path, changed: (await stat(path)).mtimeMs });
  }
  older.sort((a, b) => b.changed - a.changed);
  for (const { path } of older.slice(KEPT)) {
    await rm(path, { force: true });
    await rm(`${path}.digest`, { force: true });
  }
}

async function removeAbandoned(cache: string): Promise<void> {
  for (const name of await readdir(cache)) {
    if (!name.startsWith(UNFINISHED)) continue;
    const path = join(cache, name);
    const age = Date.now() - ((await stat(path).catch(() => undefined))?.mtimeMs ?? Date.now());
    if (age > ABANDONED_MS) await rm(path, { recursive: true, force: true });
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  return (await stat(path).catch(() => undefined))?.size;
}

function sha256(...parts: readonly string[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(`${part}\n`);
  return hash.digest("hex");
}
