import { dirname, join, resolve } from "node:path";
import { PlatformError, type QuotingErrorCode } from "../errors.ts";
import type { EntryFacts, StateFileSystem } from "./state-file-system.ts";

const DIRECTORY_MODE = 0o700;
const FILE_MODE = 0o600;
const OTHERS_MAY_WRITE = 0o022;
const OTHERS_MAY_ANYTHING = 0o077;
/** Larger than any state file by far (the largest, collateral.json, is some 20 KiB). */
const LARGEST_FILE = 1 << 20;
const FILE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
const TEMPORARY_NAME = /^\.[A-Za-z0-9._-]+\.[0-9a-f]{16}\.tmp$/;
/** A temporary file this old was left by a process that died: no write takes so long. */
const LEFTOVER_AGE_MS = 10 * 60 * 1000;

export type StateWarning = (message: string) => void;

function systemCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

const NOT_WRITABLE = new Set(["EACCES", "EPERM", "EROFS", "ENOSPC", "EDQUOT"]);

function failure(doing: string, path: string, error: unknown, denied: QuotingErrorCode): unknown {
  if (error instanceof PlatformError) return error;
  const code = systemCode(error);
  // Not the file system's refusal: a fault of the program (or the crash of a test), which must not be dressed up.
  if (code === undefined) return error;
  const name = NOT_WRITABLE.has(code) ? denied : "STATE_IO";
  return new PlatformError(name, `${doing} ${path} failed with ${code}`, { cause: error });
}

/**
 * A directory (0700) of small files (0600) that survives a stop at any moment: each file is either absent, or whole as
 * one of its writers left it, and what was read or written once is durable before the call returns.
 *
 * The directory must belong to the running user and be no link. Permissions for others to read or enter are taken away
 * with a warning; when others could *write* and something is inside, it is refused, because any file might be theirs.
 * Everything is synchronous: state is read at start and written a handful of times in a platform's life.
 */
export class StateDirectory {
  readonly path: string;
  readonly #fs: StateFileSystem;
  readonly #warn: StateWarning;

  private constructor(path: string, fs: StateFileSystem, warn: StateWarning) {
    this.path = path;
    this.#fs = fs;
    this.#warn = warn;
  }

  /** Opens the directory, making it (and missing parents, 0700 too) when it is not there. Fails with STATE_* codes. */
  static open(path: string, fs: StateFileSystem, warn: StateWarning = () => {}): StateDirectory {
    if (path === "" || path.includes("\0")) {
      throw new PlatformError("STATE_PATH_INVALID", `"${path}" names no directory`);
    }
    const absolute = resolve(path);
    try {
      makeMissing(absolute, fs);
      admit(absolute, fs, warn);
    } catch (error) {
      throw failure("opening the state directory", absolute, error, "STATE_NOT_WRITABLE");
    }
    return new StateDirectory(absolute, fs, warn);
  }

  /** The file's bytes, or undefined when there is none. Fails when it is a link, another user's, or over 1 MiB. */
  read(name: string): Uint8Array | undefined {
    const path = this.#pathOf(name);
    try {
      const facts = this.#fs.inspect(path);
      if (facts === undefined) return undefined;
      this.#admitFile(path, facts);
      const bytes = this.#fs.readFile(path, LARGEST_FILE);
      if (bytes === undefined) return undefined;
      if (bytes.length > LARGEST_FILE)
        throw new PlatformError("STATE_TOO_LARGE", `${path} is over ${LARGEST_FILE} bytes`);
      // Whoever put it there may have been killed, or not come so far, before its name was durable; it must be before
      // anything is built on it.
      this.#fs.syncDirectory(this.path);
      return bytes;
    } catch (error) {
      throw failure("reading", path, error, "STATE_NOT_READABLE");
    }
  }

  /** Names of the files here, temporary ones left out, in no order. */
  names(): readonly string[] {
    try {
      return this.#fs.list(this.path).filter((name) => FILE_NAME.test(name));
    } catch (error) {
      throw failure("listing", this.path, error, "STATE_NOT_READABLE");
    }
  }

  /** Puts `bytes` in place of whatever the file held: temporary file, sync, rename, sync of the directory. */
  replace(name: string, bytes: Uint8Array): void {
    const path = this.#pathOf(name);
    try {
      const temporary = this.#writeTemporary(name, bytes);
      this.#orRemove(temporary, () => this.#fs.rename(temporary, path));
      this.#fs.syncDirectory(this.path);
    } catch (error) {
      throw failure("writing", path, error, "STATE_NOT_WRITABLE");
    }
  }

  /**
   * Creates the file whole, or returns false when it exists already: of two processes that start on an empty directory
   * one wins, and the other reads the winner's file. Durable when it returns, whichever process made it.
   */
  createOnce(name: string, bytes: Uint8Array): boolean {
    const path = this.#pathOf(name);
    try {
      const temporary = this.#writeTemporary(name, bytes);
      const created = this.#orRemove(temporary, () => this.#linkUnlessTaken(temporary, path));
      // The name first, then the temporary's removal: after a stop in between a leftover remains, never a loss.
      this.#fs.syncDirectory(this.path);
      this.#fs.remove(temporary);
      return created;
    } catch (error) {
      throw failure("creating", path, error, "STATE_NOT_WRITABLE");
    }
  }

  /** Fails with STATE_NOT_WRITABLE unless a file can be made here now; leaves nothing behind. */
  assertWritable(): void {
    try {
      this.#fs.remove(this.#writeTemporary("write-check", new Uint8Array(1)));
    } catch (error) {
      throw failure("writing to", this.path, error, "STATE_NOT_WRITABLE");
    }
  }

  /** Renames a damaged file out of the way and returns its new name, which tells when: `NAME.damaged-20260102T030405Z`. */
  moveAside(name: string, now: Date): string {
    const path = this.#pathOf(name);
    const stamp = now.toISOString().replace(/[-:]|\.\d+/g, "");
    try {
      let aside = `${name}.damaged-${stamp}`;
      for (let n = 2; this.#fs.inspect(this.#pathOf(aside)) !== undefined; n++) aside = `${name}.damaged-${stamp}-${n}`;
      this.#fs.rename(path, this.#pathOf(aside));
      this.#fs.syncDirectory(this.path);
      return aside;
    } catch (error) {
      throw failure("moving aside", path, error, "STATE_NOT_WRITABLE");
    }
  }

  /** Removes temporary files that killed processes left more than ten minutes ago. */
  removeLeftovers(now: Date): void {
    try {
      for (const name of this.#fs.list(this.path)) {
        if (!TEMPORARY_NAME.test(name)) continue;
        const facts = this.#fs.inspect(join(this.path, name));
        if (facts === undefined || now.getTime() - facts.modified.getTime() < LEFTOVER_AGE_MS) continue;
        this.#fs.remove(join(this.path, name));
      }
    } catch (error) {
      // Another process may be tidying up too; a leftover harms nobody.
      if (systemCode(error) === undefined) throw error;
    }
  }

  #pathOf(name: string): string {
    if (!FILE_NAME.test(name)) throw new PlatformError("STATE_NAME_INVALID", `"${name}"`);
    return join(this.path, name);
  }

  #admitFile(path: string, facts: EntryFacts): void {
    if (facts.kind !== "file")
      throw new PlatformError("STATE_NOT_READABLE", `${path} is a ${facts.kind}, not a regular file`);
    const user = this.#fs.userId();
    if (facts.uid !== user)
      throw new PlatformError("STATE_WRONG_OWNER", `${path} belongs to uid ${facts.uid}, this is uid ${user}`);
    if ((facts.mode & OTHERS_MAY_ANYTHING) !== 0) {
      this.#fs.changeMode(path, FILE_MODE);
      this.#warn(`${path} had mode ${facts.mode.toString(8)}; changed to 600`);
    }
  }

  #writeTemporary(name: string, bytes: Uint8Array): string {
    if (bytes.length > LARGEST_FILE) throw new PlatformError("STATE_TOO_LARGE", `${name}: ${bytes.length} bytes`);
    const temporary = join(this.path, `.${name}.${this.#fs.uniqueSuffix()}.tmp`);
    const descriptor = this.#fs.createFile(temporary, FILE_MODE);
    this.#orRemove(temporary, () => {
      try {
        this.#fs.write(descriptor, bytes);
        this.#fs.syncFile(descriptor);
      } finally {
        this.#fs.close(descriptor);
      }
    });
    return temporary;
  }

  #linkUnlessTaken(from: string, to: string): boolean {
    try {
      this.#fs.link(from, to);
      return true;
    } catch (error) {
      if (systemCode(error) === "EEXIST") return false;
      throw error;
    }
  }

  /** Runs a step; when it fails, takes the temporary file away so that a full disk is not filled further. */
  #orRemove<T>(temporary: string, step: () => T): T {
    try {
      return step();
    } catch (error) {
      try {
        this.#fs.remove(temporary);
      } catch {
        // The step's own failure is the one to report.
      }
      throw error;
    }
  }
}

/** Leaves `path` there and its name durable: also when a predecessor made it and was killed before it synced. */
function makeMissing(path: string, fs: StateFileSystem): void {
  const parent = dirname(path);
  if (fs.inspect(path) !== undefined) {
    syncIfPermitted(parent, fs);
    return;
  }
  if (parent !== path) makeMissing(parent, fs);
  try {
    fs.makeDirectory(path, DIRECTORY_MODE);
  } catch (error) {
    // Another process made it in the same moment: whether it may be used is decided next, as for any other.
    if (systemCode(error) !== "EEXIST") throw error;
  }
  fs.syncDirectory(parent);
}

/** A parent that this user may not open was made by someone else, who answers for its entries. */
function syncIfPermitted(path: string, fs: StateFileSystem): void {
  try {
    fs.syncDirectory(path);
  } catch (error) {
    if (!NOT_WRITABLE.has(systemCode(error) ?? "")) throw error;
  }
}

function admit(path: string, fs: StateFileSystem, warn: StateWarning): void {
  const facts = fs.inspect(path);
  if (facts === undefined) throw new PlatformError("STATE_IO", `${path} vanished while it was opened`);
  if (facts.kind !== "directory") throw new PlatformError("STATE_NOT_A_DIRECTORY", `${path} is a ${facts.kind}`);
  const user = fs.userId();
  if (facts.uid !== user) {
    throw new PlatformError(
      "STATE_WRONG_OWNER",
      `${path} belongs to uid ${facts.uid}, this is uid ${user}; a directory inside it, made by this service, would do`,
    );
  }
  if ((facts.mode & OTHERS_MAY_ANYTHING) === 0) return;
  if ((facts.mode & OTHERS_MAY_WRITE) !== 0 && fs.list(path).length > 0) {
    throw new PlatformError("STATE_EXPOSED", `${path} has mode ${facts.mode.toString(8)} and is not empty`);
  }
  fs.changeMode(path, DIRECTORY_MODE);
  warn(`${path} had mode ${facts.mode.toString(8)}; changed to 700`);
}
