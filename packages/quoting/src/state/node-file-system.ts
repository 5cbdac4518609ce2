import { randomBytes } from "node:crypto";
import fs from "node:fs";
import type { EntryFacts, StateFileSystem } from "./state-file-system.ts";

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

function kindOf(stats: fs.Stats): EntryFacts["kind"] {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "directory";
  return stats.isSymbolicLink() ? "link" : "other";
}

function readLimited(descriptor: number, limit: number): Uint8Array {
  // A link, FIFO or device cannot get here (O_NOFOLLOW, isFile), so the size is the file's and the read never blocks.
  const stats = fs.fstatSync(descriptor);
  if (!stats.isFile()) throw Object.assign(new Error("not a regular file"), { code: "EINVAL" });
  const bytes = new Uint8Array(Math.min(stats.size, limit + 1));
  let filled = 0;
  while (filled < bytes.length) {
    const count = fs.readSync(descriptor, bytes, filled, bytes.length - filled, filled);
    if (count === 0) break;
    filled += count;
  }
  return bytes.subarray(0, filled);
}

/** The real file system. */
export const nodeFileSystem: StateFileSystem = {
  userId: () => process.geteuid?.() ?? 0,
  uniqueSuffix: () => randomBytes(8).toString("hex"),
  inspect(path) {
    const stats = fs.lstatSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return undefined;
    return { kind: kindOf(stats), mode: stats.mode & 0o7777, uid: stats.uid, size: stats.size, modified: stats.mtime };
  },
  list: (path) => fs.readdirSync(path),
  makeDirectory: (path, mode) => {
    fs.mkdirSync(path, { mode });
  },
  changeMode: (path, mode) => fs.chmodSync(path, mode),
  readFile(path, limit) {
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
    let descriptor: number;
    try {
      descriptor = fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    } catch (error) {
      if (codeOf(error) === "ENOENT") return undefined;
      throw error;
    }
    try {
      return readLimited(descriptor, limit);
    } finally {
      fs.closeSync(descriptor);
    }
  },
  createFile(path, mode) {
    const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = fs.constants;
    return fs.openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
  },
  write(descriptor, bytes) {
    let written = 0;
    while (written < bytes.length) written += fs.writeSync(descriptor, bytes, written, bytes.length - written);
  },
  syncFile: (descriptor) => fs.fsyncSync(descriptor),
  close: (descriptor) => fs.closeSync(descriptor),
  rename: (from, to) => fs.renameSync(from, to),
  link: (from, to) => fs.linkSync(from, to),
  remove: (path) => fs.unlinkSync(path),
  syncDirectory(path) {
    const descriptor = fs.openSync(path, fs.constants.O_RDONLY);
    try {
      fs.fsyncSync(descriptor);
    } finally {
      fs.closeSync(descriptor);
    }
  },
};
