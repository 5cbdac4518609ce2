import fs from "node:fs";
import { type HostEntry, type HostEntryKind, type HostFileSystem, resolveHostPath } from "./host-file-system.ts";

/**
 * The host's files as this process sees them below `root` ("/" when it runs on the host itself, "/host" in the
 * DaemonSet). This is the only place where the prefix is put before a path.
 */
export function nodeHostFileSystem(root: string): HostFileSystem {
  const prefix = root.replace(/\/+$/, "");
  const here = (path: string): string => {
    if (!path.startsWith("/") || path.split("/").includes("..")) {
      throw Object.assign(new Error(`${path} is not an absolute path without ".."`), { code: "EINVAL" });
    }
    return `${prefix}${path}`;
  };
  return {
    lstat: (path) => entryOf(fs.lstatSync(here(path))),
    readLink: (path) => fs.readlinkSync(here(path)),
    readDirectory: (path) => fs.readdirSync(here(path)),
    readFile: (path, limit) => readRegularFile(here(path), limit),
  };
}

function entryOf(stats: fs.Stats): HostEntry {
  const kind = kindOf(stats);
  const isDevice = kind === "character device" || kind === "block device";
  return { kind, inode: stats.ino, deviceNumber: isDevice ? stats.rdev : 0, mode: stats.mode & 0o7777 };
}

function kindOf(stats: fs.Stats): HostEntryKind {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "directory";
  if (stats.isSymbolicLink()) return "link";
  if (stats.isCharacterDevice()) return "character device";
  return stats.isBlockDevice() ? "block device" : "fifo or socket";
}

function readRegularFile(path: string, limit: number): Uint8Array {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
  const descriptor = fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    if (!fs.fstatSync(descriptor).isFile()) throw Object.assign(new Error(`${path} is no file`), { code: "EINVAL" });
    // The size that sysfs and cgroup files have is not the number of bytes in them: read until the end.
    const bytes = new Uint8Array(limit + 1);
    let filled = 0;
    while (filled < bytes.length) {
      const count = fs.readSync(descriptor, bytes, filled, bytes.length - filled, null);
      if (count === 0) return bytes.slice(0, filled);
      filled += count;
    }
    throw Object.assign(new Error(`${path} has more than ${limit} bytes`), { code: "EFBIG" });
  } finally {
    fs.closeSync(descriptor);
  }
}

/**
 * Calls `changed` with the name when something in a directory of the host appears, vanishes or is renamed. Returns how
 * to stop that, or undefined where the directory cannot be watched: then polling alone must do.
 */
export function watchHostDirectory(
  root: string,
  path: string,
  changed: (name: string | undefined) => void,
): (() => void) | undefined {
  try {
    const at = resolveHostPath(nodeHostFileSystem(root), path).path;
    const watcher = fs.watch(`${root.replace(/\/+$/, "")}${at}`, { persistent: false }, (_event, name) =>
      changed(name ?? undefined),
    );
    watcher.on("error", () => watcher.close());
    return () => watcher.close();
  } catch {
    return undefined;
  }
}
