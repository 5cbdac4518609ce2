import { mkdir, mkdtemp, readFile, rename, rm, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { arch } from "node:os";
import { dirname, join } from "node:path";
import type { Layer, LayerEntry } from "./layer.ts";
import { runProgram } from "./program.ts";
import { sharedLibraries } from "./shared-libraries.ts";

const require = createRequire(import.meta.url);

/** Who exists in the image. The group of the same number lets a file be given to `nonroot`. */
const PASSWD = "root:x:0:0:root:/:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/tmp:/sbin/nologin\n";
const GROUP = "root:x:0:\nnonroot:x:65532:\n";
const NSSWITCH = "passwd: files\ngroup: files\nhosts: files dns\n";

/**
 * The layer below every image that runs JavaScript: the pinned Node without its debugging symbols (which are a fifth of it),
 * the shared libraries it is linked to, and the few files that a C library expects. No shell, no package manager.
 */
export async function nodeLayer(cache: string): Promise<Layer> {
  const { version, binary, licence } = pinnedNode();
  const stripped = await strip(binary, version, cache);
  const file = (path: string, content: string): LayerEntry => ({ kind: "file", path, mode: 0o644, content });
  return {
    comment: `node ${version} and its shared libraries`,
    entries: [
      { kind: "directory", path: "/tmp", mode: 0o1777 },
      { kind: "directory", path: "/var/run", mode: 0o755 },
      file("/etc/passwd", PASSWD),
      file("/etc/group", GROUP),
      file("/etc/nsswitch.conf", NSSWITCH),
      { kind: "file", path: "/usr/bin/node", mode: 0o755, source: stripped },
      { kind: "file", path: "/usr/share/doc/node/LICENSE", mode: 0o644, source: licence },
      ...(await sharedLibraries(binary)),
    ],
  };
}

function pinnedNode(): { version: string; binary: string; licence: string } {
  const name = `node-linux-${arch()}`;
  let manifest: string;
  try {
    manifest = require.resolve(`${name}/package.json`);
  } catch (cause) {
    throw new Error(`the pinned Node (npm package ${name}) is not installed: run npm ci on Linux`, { cause });
  }
  const { version } = require(manifest) as { version: string };
  const directory = dirname(manifest);
  return { version, binary: join(directory, "bin/node"), licence: join(directory, "LICENSE") };
}

/** Kept by version and size: stripping takes a second or two. */
async function strip(binary: string, version: string, cache: string): Promise<string> {
  const kept = join(cache, `node-${version}-${arch()}-${(await stat(binary)).size}`);
  if (await isElf(kept)) return kept;
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(cache, "work-"));
  try {
    await runProgram("strip", ["-o", join(work, "node"), binary], { wayOut: "apt-get install binutils" });
    await rename(join(work, "node"), kept);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return kept;
}

async function isElf(path: string): Promise<boolean> {
  const content = await readFile(path).catch(() => undefined);
  return content?.subarray(0, 4).equals(Buffer.from("\x7fELF", "latin1")) ?? false;
}
