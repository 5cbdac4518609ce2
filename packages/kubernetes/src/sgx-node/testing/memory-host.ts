import type { HostEntry, HostFileSystem } from "../host-file-system.ts";

/** What a test puts at a path: a file's text, or something that is no file. Directories above it are there by themselves. */
export type Planted =
  | string
  | { readonly link: string }
  | { readonly device: number; readonly mode?: number; readonly inode?: number }
  | { readonly kind: "directory" | "block device" | "fifo or socket" }
  | { readonly denied: string };

const fail = (code: string, path: string): never => {
  throw Object.assign(new Error(`${code}: ${path}`), { code });
};

/** A host in memory: what tests cannot make without rights, and what no machine here has. */
export class MemoryHost implements HostFileSystem {
  readonly #entries = new Map<string, Planted>();

  constructor(entries: Readonly<Record<string, Planted>> = {}) {
    for (const [path, planted] of Object.entries(entries)) this.plant(path, planted);
  }

  plant(path: string, planted: Planted): void {
    this.#entries.set(path, planted);
  }

  remove(path: string): void {
    this.#entries.delete(path);
  }

  lstat(path: string): HostEntry {
    const entry = (kind: HostEntry["kind"], inode: number, deviceNumber = 0, mode = 0o755) => ({
      kind,
      inode,
      deviceNumber,
      mode,
    });
    const planted = this.#at(path);
    if (planted === undefined) return entry("directory", 1);
    if (typeof planted === "string") return entry("file", 2);
    if ("link" in planted) return entry("link", 3);
    if ("kind" in planted) return entry(planted.kind, 4);
    if ("denied" in planted) return fail(planted.denied, path);
    return entry("character device", planted.inode ?? 5, planted.device, planted.mode ?? 0o666);
  }

  readLink(path: string): string {
    const planted = this.#at(path);
    return typeof planted === "object" && "link" in planted ? planted.link : fail("EINVAL", path);
  }

  readDirectory(path: string): readonly string[] {
    if (this.#at(path) !== undefined) return fail("ENOTDIR", path);
    const below = [...this.#entries.keys()].filter((known) => known.startsWith(`${path}/`));
    return [...new Set(below.map((known) => known.slice(path.length + 1).split("/")[0] as string))];
  }

  readFile(path: string, limit: number): Uint8Array {
    const planted = this.#at(path);
    if (typeof planted !== "string") return fail("EISDIR", path);
    return planted.length > limit ? fail("EFBIG", path) : new TextEncoder().encode(planted);
  }

  /** What was planted, or undefined for a directory above something; links are not followed, as in the interface. */
  #at(path: string): Planted | undefined {
    for (let parent = path.lastIndexOf("/"); parent > 0; parent = path.lastIndexOf("/", parent - 1)) {
      const planted = this.#entries.get(path.slice(0, parent));
      if (planted === undefined) continue;
      if (typeof planted === "object" && "denied" in planted) fail(planted.denied, path);
      if (typeof planted === "string" || !("kind" in planted) || planted.kind !== "directory") fail("ENOTDIR", path);
    }
    const planted = this.#entries.get(path);
    if (typeof planted === "object" && "kind" in planted && planted.kind === "directory") return undefined;
    if (planted !== undefined) return planted;
    if (path === "/" || [...this.#entries.keys()].some((known) => known.startsWith(`${path}/`))) return undefined;
    return fail("ENOENT", path);
  }
}
