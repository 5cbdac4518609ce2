/** What stands at a path of the host; links are not followed. */
export interface HostEntry {
  readonly kind: HostEntryKind;
  readonly inode: number;
  /** Device number (`st_rdev`) of a device; 0 for everything else. */
  readonly deviceNumber: number;
  /** Permission bits, at most 0o7777. */
  readonly mode: number;
}

export type HostEntryKind = "file" | "directory" | "link" | "character device" | "block device" | "fifo or socket";

/**
 * The host's files, by the paths that the host itself uses: whatever prefix they have in this container is known to the
 * implementation alone. No operation follows a link in any part of the path; {@link resolveHostPath} does that. Errors
 * are Node's: an Error whose `code` is ENOENT, EACCES and so on.
 */
export interface HostFileSystem {
  lstat(path: string): HostEntry;
  readLink(path: string): string;
  /** Names only, in any order. */
  readDirectory(path: string): readonly string[];
  /** A regular file's bytes; EFBIG when there are more than `limit`. Never blocks. */
  readFile(path: string, limit: number): Uint8Array;
}

/** A path that leads nowhere, with the part of it where that was found. */
export class HostPathError extends Error {
  override readonly name = "HostPathError";
  /** ENOENT, ENOTDIR, ELOOP, EACCES ... */
  readonly code: string;
  /** The first path, links resolved, that could not be looked at. */
  readonly at: string;
  /** Whether a link was followed to get there. */
  readonly throughLink: boolean;

  constructor(code: string, at: string, throughLink: boolean, cause?: unknown) {
    super(`${at}: ${code}`, { cause });
    this.code = code;
    this.at = at;
    this.throughLink = throughLink;
  }
}

/** Links that one path may contain, as in the kernel. */
const MAX_LINKS = 40;

/** The `code` of a system call's error. */
export function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "EIO";
}

/**
 * The path without links that `path` means on the host: absolute targets start at the host's root, and `..` at the root
 * stays there, so that nothing leads out of it. Throws {@link HostPathError}.
 */
export function resolveHostPath(
  host: HostFileSystem,
  path: string,
): { readonly path: string; readonly entry: HostEntry } {
  const left = components(path).reverse();
  const done: string[] = [];
  let links = 0;
  /** What stands at `done`, where it has been looked at. */
  let entry: HostEntry | undefined;
  while (left.length > 0) {
    const name = left.pop() as string;
    if (name === "..") {
      done.pop();
      entry = undefined;
      continue;
    }
    const at = `/${[...done, name].join("/")}`;
    try {
      const found = host.lstat(at);
      if (found.kind === "link") {
        if (++links > MAX_LINKS) throw new HostPathError("ELOOP", at, true);
        const target = host.readLink(at);
        if (target.startsWith("/")) done.length = 0;
        left.push(...components(target).reverse());
        entry = undefined;
        continue;
      }
      entry = found;
    } catch (error) {
      if (error instanceof HostPathError) throw error;
      throw new HostPathError(errorCode(error), at, links > 0, error);
    }
    done.push(name);
    if (left.length > 0 && entry.kind !== "directory") throw new HostPathError("ENOTDIR", at, links > 0);
  }
  const resolved = `/${done.join("/")}`;
  return { path: resolved, entry: entry ?? host.lstat(resolved) };
}

/** A small file of the host, links followed. Throws {@link HostPathError} or the read's own error. */
export function readHostFile(host: HostFileSystem, path: string, limit: number): Uint8Array {
  const resolved = resolveHostPath(host, path);
  if (resolved.entry.kind !== "file") {
    throw new HostPathError(resolved.entry.kind === "directory" ? "EISDIR" : "EINVAL", resolved.path, false);
  }
  return host.readFile(resolved.path, limit);
}

function components(path: string): string[] {
  return path.split("/").filter((part) => part !== "" && part !== ".");
}
