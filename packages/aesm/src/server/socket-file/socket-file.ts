import { chmodSync, linkSync, mkdirSync, renameSync, unlinkSync } from "node:fs";
import * as net from "node:net";
import { basename, dirname, join } from "node:path";
import { AesmError } from "../../errors.ts";
import { findSocketOwners, type SocketOwner } from "./owner.ts";
import { type FileIdentity, inspectPath, type PathState, sameFile, socketIdentity } from "./path-state.ts";
import { type LossReason, watchPath } from "./path-watch.ts";

/** sun_path holds 108 bytes with its closing zero. */
const MAX_PATH = 107;

export interface SocketFileOptions {
  readonly path: string;
  /** Replace a live owner, which is expected to notice and leave; without it a live owner is an error. */
  readonly takeover?: boolean;
}

/**
 * The life of the socket's path (spec: AESM §1.1, §10.2, §10.3): bound under a temporary name, so that nobody meets a
 * socket that does not listen yet; moved into place by {@link publish}; removed only while it is still ours.
 */
export class SocketFile {
  readonly path: string;
  /** The bound descriptor to listen on; several event loops may. */
  readonly fd: number;

  readonly #temporary: string;
  readonly #identity: FileIdentity;
  readonly #takeover: boolean;
  #published = false;
  #stopWatching: (() => void) | undefined;

  constructor(options: SocketFileOptions, temporary: string, fd: number, identity: FileIdentity) {
    this.path = options.path;
    this.fd = fd;
    this.#takeover = options.takeover ?? false;
    this.#temporary = temporary;
    this.#identity = identity;
  }

  /**
   * Moves the socket to its path in one step, mode 0666: whoever connects reaches the old owner or this one. Call it
   * when every event loop listens. Throws `SOCKET_OWNED`, `SOCKET_BIND`.
   */
  async publish(): Promise<void> {
    try {
      chmodSync(this.#temporary, 0o666);
      // Somebody may have come while the event loops started. A link cannot overwrite, so two that start together cannot
      // both believe to be first; a stale socket is looked at again right before it is replaced.
      for (;;) {
        const state = await inspectPath(this.path);
        refuseLiveOwner(this.path, state, this.#takeover);
        if (state.kind === "absent" ? this.#linkIntoPlace() : this.#renameIntoPlace(state.identity)) break;
      }
      this.#published = true;
    } catch (error) {
      this.remove();
      if (error instanceof AesmError) throw error;
      throw new AesmError("SOCKET_BIND", `${this.path}: the socket could not be moved into place`, { cause: error });
    }
  }

  /** Whether the path still leads to this socket. */
  isOurs(): boolean {
    if (!this.#published) return false;
    try {
      return sameFile(socketIdentity(this.path), this.#identity);
    } catch {
      return false;
    }
  }

  /** Calls `lost` once when the path no longer leads here: drain then, and leave without removing anything. */
  watch(lost: (reason: LossReason) => void): void {
    this.#stopWatching ??= watchPath(this.path, this.#identity, lost);
  }

  /** Removes the path if it is still ours, and the temporary one. Returns whether the path was removed. */
  remove(): boolean {
    this.#stopWatching?.();
    this.#stopWatching = undefined;
    if (!this.#published) {
      unlinkIfPresent(this.#temporary);
      return false;
    }
    if (!this.isOurs()) return false;
    unlinkIfPresent(this.path);
    return true;
  }

  #linkIntoPlace(): boolean {
    try {
      linkSync(this.#temporary, this.path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
      // A file system without hard links: the rename may overwrite one that started in this very moment.
      renameSync(this.#temporary, this.path);
      return true;
    }
    unlinkIfPresent(this.#temporary);
    return true;
  }

  #renameIntoPlace(replaced: FileIdentity): boolean {
    if (!sameFile(socketIdentity(this.path), replaced)) return false;
    renameSync(this.#temporary, this.path);
    return true;
  }
}

/**
 * Creates the directory if it is missing, looks who owns the path, and binds. Throws `SOCKET_PATH`, `SOCKET_DIRECTORY`,
 * `SOCKET_NOT_A_SOCKET`, `SOCKET_OWNED`, `SOCKET_OWNER_UNKNOWN`, `SOCKET_BIND`.
 */
export async function openSocketFile(options: SocketFileOptions): Promise<SocketFile> {
  const { path } = options;
  if (path === "" || Buffer.byteLength(path) > MAX_PATH) {
    throw new AesmError(
      "SOCKET_PATH",
      `the socket path ${path} is ${Buffer.byteLength(path)} bytes, not 1 to ${MAX_PATH}`,
    );
  }
  makeDirectory(dirname(path));
  refuseLiveOwner(path, await inspectPath(path), options.takeover ?? false);
  const temporary = temporaryName(path, `${process.pid}-${++opened}`);
  // Left behind by a process that had our number and died while starting.
  unlinkIfPresent(temporary);
  const fd = bind(temporary);
  return new SocketFile(options, temporary, fd, socketIdentity(temporary) as FileIdentity);
}

function makeDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o755 });
  } catch (error) {
    const message = `the directory ${directory} of the socket cannot be created: ${(error as Error).message}`;
    throw new AesmError("SOCKET_DIRECTORY", message, { cause: error });
  }
}

function refuseLiveOwner(path: string, state: PathState, takeover: boolean): void {
  if (state.kind !== "live" || takeover) return;
  const owners = socketOwners(path);
  const who =
    owners.length === 0
      ? "a process that /proc does not show"
      : owners.map((owner) => `process ${owner.pid} (${owner.command})`).join(", ");
  throw new AesmError(
    "SOCKET_OWNED",
    `${path} is answered by ${who}; stop it, choose another path, or take over from it`,
  );
}

/** The processes that listen under this path, or under the temporary name it was bound with. */
export function socketOwners(path: string): SocketOwner[] {
  const temporary = temporaryName(path, "");
  return findSocketOwners(
    (bound) => bound === path || (bound.startsWith(temporary) && /^\d+-\d+$/.test(bound.slice(temporary.length))),
  );
}

/** Sockets opened by this process: each has a temporary name of its own. */
let opened = 0;

/** In the same directory, so that the rename is atomic. The kernel shows a socket under this name for ever. */
function temporaryName(path: string, owner: string): string {
  const name = join(dirname(path), `.${basename(path)}.${owner}`);
  return Buffer.byteLength(name) <= MAX_PATH ? name : join(dirname(path), `.${owner}`);
}

/** Binds without listening, which net.Server cannot: a connection before the event loops run would be refused. */
function bind(path: string): number {
  const create = (net as unknown as { _createServerHandle?: (path: string, port: number, type: number) => unknown })
    ._createServerHandle;
  const handle = create?.(path, -1, -1);
  const fd = (handle as { fd?: unknown } | undefined)?.fd;
  // The handle stays alive, and its descriptor open, until somebody closes it: Node holds handles strongly.
  if (typeof fd === "number" && fd >= 0) return fd;
  const cause = typeof handle === "number" ? `error ${handle}` : "this runtime gives no descriptor";
  throw new AesmError(
    "SOCKET_DIRECTORY",
    `${path} cannot be bound (${cause}); is the directory writable for this user, and on a file system with sockets?`,
  );
}

function unlinkIfPresent(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}
