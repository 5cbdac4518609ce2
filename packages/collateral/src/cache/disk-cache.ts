import { createHash } from "node:crypto";
import { constants, type Stats } from "node:fs";
import { chmod, lstat, mkdir, open, readdir, rename, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Clock } from "../clock.ts";
import { CollateralError, messageOf } from "../errors.ts";
import type { AnswerCache, CachedAnswer } from "./cached-answer.ts";
import { decodeEntry, ENTRY_LIMIT, encodeEntry } from "./entry-format.ts";

export interface DiskCacheOptions {
  readonly directory: string;
  /** Who must own it: the process's effective user. */
  readonly uid: number;
  /** In the names of unfinished files, so that processes do not meet there. */
  readonly pid: number;
  readonly clock: Pick<Clock, "now">;
  /** Bytes of all entries. Default 256 MiB. */
  readonly maxBytes?: number;
  /** Number of all entries. Default 20,000. */
  readonly maxEntries?: number;
}

const SUFFIX = ".answer";
const UNFINISHED = ".unfinished";
/** A file that somebody is writing is younger than this; an older one was left by a process that died. */
const UNFINISHED_MS = 10 * 60_000;
/** Other processes add entries too: after filling half of the room that there was, the directory is counted again. */
const OWN_SHARE = 0.5;

/**
 * Opens a cache directory that any number of processes of one user share: an entry is a file of its own that is replaced whole, so no
 * lock is needed. Makes the directory (0700) if it is missing. Rejects with CACHE_UNUSABLE where it is a symbolic link, no directory,
 * owned by somebody else or writable for others.
 */
export async function openDiskCache(options: DiskCacheOptions): Promise<AnswerCache> {
  const { directory } = options;
  try {
    await makeDirectory(directory, 8);
    const found = await lstat(directory);
    const problem = problemOf(found, options.uid);
    if (problem !== undefined) throw new Error(problem);
    if ((found.mode & 0o077) !== 0) await chmod(directory, 0o700);
  } catch (error) {
    throw unusable(directory, error);
  }
  return new DiskCache(options);
}

/** Not mkdir's own recursion, which never ends where the kernel answers ENOENT although the parent is there (/proc). */
async function makeDirectory(path: string, levels: number): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    if (codeOf(error) === "EEXIST") return;
    if (codeOf(error) !== "ENOENT" || levels === 0 || dirname(path) === path) throw error;
    await makeDirectory(dirname(path), levels - 1);
    await makeDirectory(path, 0);
  }
}

function problemOf(found: Stats, uid: number): string | undefined {
  if (found.isSymbolicLink()) return "it is a symbolic link";
  if (!found.isDirectory()) return "it is no directory";
  if (found.uid !== uid) return `it belongs to user ${found.uid}, not to ${uid}`;
  return (found.mode & 0o022) === 0 ? undefined : "others may write to it";
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error ? String(error.code) : undefined;
}

function unusable(directory: string, cause: unknown): CollateralError {
  const why = messageOf(cause);
  return new CollateralError("CACHE_UNUSABLE", `the cache directory ${directory} cannot be used: ${why}`, { cause });
}

class DiskCache implements AnswerCache {
  readonly #directory: string;
  readonly #options: DiskCacheOptions;
  readonly #maxBytes: number;
  readonly #maxEntries: number;
  #serial = 0;
  /** What may be written until then. */
  #room = { bytes: 0, entries: 0 };

  constructor(options: DiskCacheOptions) {
    this.#directory = options.directory;
    this.#options = options;
    this.#maxBytes = options.maxBytes ?? 256 * 1024 * 1024;
    this.#maxEntries = options.maxEntries ?? 20_000;
  }

  async read(key: string): Promise<CachedAnswer | undefined> {
    const path = this.#pathOf(key);
    let bytes: Uint8Array | undefined;
    try {
      bytes = await this.#readOwn(path);
    } catch (error) {
      if (codeOf(error) === "ENOENT") return undefined;
      // A symbolic link in the place of an entry.
      if (codeOf(error) !== "ELOOP") throw unusable(this.#directory, error);
    }
    const cached = bytes === undefined ? undefined : decodeEntry(key, bytes);
    if (cached === undefined) await this.remove(key);
    return cached;
  }

  /** Undefined if it is not a regular file of the cache's own user, or too large. */
  async #readOwn(path: string): Promise<Uint8Array | undefined> {
    // O_NONBLOCK: a FIFO in its place must not stop anybody.
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const { size, uid } = await file.stat().then((stats) => (stats.isFile() ? stats : { size: -1, uid: -1 }));
      if (size < 0 || size > ENTRY_LIMIT || uid !== this.#options.uid) return undefined;
      const buffer = Buffer.alloc(size);
      let at = 0;
      while (at < size) {
        const { bytesRead } = await file.read(buffer, at, size - at, at);
        if (bytesRead === 0) return undefined;
        at += bytesRead;
      }
      return buffer;
    } finally {
      await file.close();
    }
  }

  async write(key: string, cached: CachedAnswer): Promise<void> {
    const bytes = encodeEntry(key, cached);
    if (bytes.length > Math.min(ENTRY_LIMIT, this.#maxBytes)) return;
    const path = this.#pathOf(key);
    let unfinished: string | undefined;
    try {
      if (this.#room.entries < 1 || this.#room.bytes < bytes.length) await this.#sweep(bytes.length);
      this.#room.entries--;
      this.#room.bytes -= bytes.length;
      unfinished = await this.#writeUnfinished(bytes);
      await rename(unfinished, path);
      unfinished = undefined;
      await this.#syncDirectory();
    } catch (error) {
      throw unusable(this.#directory, error);
    } finally {
      if (unfinished !== undefined) await unlink(unfinished).catch(() => undefined);
    }
  }

  async #writeUnfinished(bytes: Uint8Array): Promise<string> {
    for (;;) {
      const path = join(this.#directory, `${this.#options.pid}-${this.#serial++}${UNFINISHED}`);
      try {
        const file = await open(path, "wx", 0o600);
        try {
          await file.writeFile(bytes);
          await file.sync();
        } catch (error) {
          await unlink(path).catch(() => undefined);
          throw error;
        } finally {
          await file.close();
        }
        return path;
      } catch (error) {
        // A process of another container may have the same number, and one that died leaves its names behind.
        if (codeOf(error) !== "EEXIST") throw error;
      }
    }
  }

  async #syncDirectory(): Promise<void> {
    const directory = await open(this.#directory, constants.O_RDONLY);
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  }

  async remove(key: string): Promise<void> {
    await unlink(this.#pathOf(key)).catch(() => undefined);
  }

  /** Makes room: what was written longest ago goes first, down to nine tenths of the bounds. */
  async #sweep(coming: number): Promise<void> {
    const now = this.#options.clock.now();
    const entries: { path: string; size: number; written: number }[] = [];
    for (const name of await readdir(this.#directory)) {
      if (!name.endsWith(SUFFIX) && !name.endsWith(UNFINISHED)) continue;
      const path = join(this.#directory, name);
      const stats = await lstat(path).catch(() => undefined);
      if (stats === undefined) continue;
      if (name.endsWith(SUFFIX)) entries.push({ path, size: stats.size, written: stats.mtimeMs });
      else if (Math.abs(now - stats.mtimeMs) > UNFINISHED_MS) await unlink(path).catch(() => undefined);
    }
    let bytes = coming + entries.reduce((sum, { size }) => sum + size, 0);
    let count = entries.length + 1;
    if (bytes > this.#maxBytes || count > this.#maxEntries) {
      entries.sort((a, b) => a.written - b.written);
      for (const { path, size } of entries) {
        if (bytes <= this.#maxBytes * 0.9 && count <= this.#maxEntries * 0.9) break;
        await unlink(path).catch(() => undefined);
        bytes -= size;
        count--;
      }
    }
    this.#room = {
      bytes: coming + (this.#maxBytes - bytes) * OWN_SHARE,
      entries: 1 + (this.#maxEntries - count) * OWN_SHARE,
    };
  }

  #pathOf(key: string): string {
    return join(this.#directory, `${createHash("sha256").update(key).digest("hex")}${SUFFIX}`);
  }
}
