import { chmodSync, existsSync, linkSync, mkdirSync, renameSync, unlinkSync } from "node:fs";
import { dirname } from "node:path";
import { AesmError } from "../../errors.ts";
import { requireSocketPath } from "../../socket-path.ts";
import { removeLeftovers } from "./leftover-sockets.ts";
import { findSocketOwners, type SocketOwner } from "./owner.ts";
import { type FileIdentity, inspectPath, type PathState, sameFile, socketIdentity } from "./path-state.ts";
import { type LossReason, watchPath } from "./path-watch.ts";
import { type BoundSocket, bindBeside, isTemporaryName } from "./temporary-socket.ts";

export interface SocketFileOptions {
  /** At most 107 bytes; a relative one counts from the working directory. */
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

  constructor(options: SocketFileOptions, bound: BoundSocket, identity: FileIdentity) {
    this.path = options.path;
    this.fd = bound.fd;
    this.#takeover = options.takeover ?? false;
    this.#temporary = bound.name;
    this.#identity = identity;
  }

  /**
   * Moves the socket to its path in one step, mode 0666: whoever connects reaches the old owner or this one. Call it
   * when every event loop listens. Throws `SOCKET_OWNED`, `SOCKET_BIND`, and what {@link openSocketFile} says of paths.
   */
  async publish(): Promise<void> {
    try {
      if (!this.#isMine(this.#temporary)) {
        const message = `${this.#temporary}, under which the socket was bound, was removed meanwhile; start again`;
        throw new AesmError("SOCKET_BIND", message);
      }
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
      const message = `${this.path}: the socket could not be moved into place from ${this.#temporary}`;
      const hint = `is ${dirname(this.path)} still there, and writable for this user?`;
      throw new AesmError("SOCKET_BIND", `${message} (${reasonOf(error)}); ${hint}`, { cause: error });
    }
  }

  /** Whether the path still leads to this socket. */
  isOurs(): boolean {
    return this.#published && this.#isMine(this.path);
  }

  /** Calls `lost` once when the path no longer leads here: drain then, and leave without removing anything. */
  watch(lost: (reason: LossReason) => void): void {
    this.#stopWatching ??= watchPath(this.path, this.#identity, lost);
  }

  /**
   * Removes the path, or the temporary one before {@link publish}, if it is still ours. Returns whether the path was
   * removed; never throws, for there are clients to be served to the end.
   */
  remove(): boolean {
    this.#stopWatching?.();
    this.#stopWatching = undefined;
    if (this.#published) return this.isOurs() && removeFile(this.path);
    if (this.#isMine(this.#temporary)) removeFile(this.#temporary);
    return false;
  }

  #isMine(name: string): boolean {
    try {
      return sameFile(socketIdentity(name), this.#identity);
    } catch {
      return false;
    }
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
    removeFile(this.#temporary);
    return true;
  }

  #renameIntoPlace(replaced: FileIdentity): boolean {
    if (!sameFile(socketIdentity(this.path), replaced)) return false;
    renameSync(this.#temporary, this.path);
    return true;
  }
}

/**
 * Creates the directory if it is missing, looks who owns the path, binds, and removes what was left behind by processes
 * that were killed while starting. Every failure is an AesmError: `SOCKET_PATH`, `SOCKET_DIRECTORY`,
 * `SOCKET_NOT_A_SOCKET`, `SOCKET_OWNED`, `SOCKET_OWNER_UNKNOWN`, `SOCKET_BIND`.
 */
export async function openSocketFile(options: SocketFileOptions): Promise<SocketFile> {
  const { path } = options;
  requireSocketPath(path);
  makeDirectory(dirname(path));
  refuseLiveOwner(path, await inspectPath(path), options.takeover ?? false);
  const bound = bindBeside(path);
  const identity = socketIdentity(bound.name);
  if (identity === undefined) {
    throw new AesmError("SOCKET_BIND", `${bound.name} was removed right after it was bound; start again`);
  }
  await removeLeftovers(path, bound.name);
  return new SocketFile(options, bound, identity);
}

function makeDirectory(directory: string): void {
  try {
    makeMissing(directory);
  } catch (error) {
    const message = `the directory ${directory} of the socket cannot be created (${reasonOf(error)})`;
    throw new AesmError("SOCKET_DIRECTORY", message, { cause: error });
  }
}

/** Not mkdir's own recursion, which never ends where the kernel answers ENOENT although the parent is there (/proc). */
function makeMissing(directory: string): void {
  if (existsSync(directory)) return;
  makeMissing(dirname(directory));
  try {
    mkdirSync(directory, { mode: 0o755 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
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

/**
 * The processes that listen under this path, or under the temporary name it was bound with. The kernel shows that name
 * for ever; while its file is there, too, the process is still starting, and not the one that answers.
 */
export function socketOwners(path: string): SocketOwner[] {
  return findSocketOwners((bound) => bound === path || (isTemporaryName(path, bound) && !existsSync(bound)));
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Leaves what cannot be removed: a socket nobody listens on is replaced at the next start. */
function removeFile(path: string): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch {
    return false;
  }
}
