import * as net from "node:net";
import { basename, dirname, join } from "node:path";
import { getSystemErrorName } from "node:util";
import { AesmError } from "../../errors.ts";
import { MAX_SOCKET_PATH } from "../../socket-path.ts";

/** A bound socket that does not listen yet. */
export interface BoundSocket {
  readonly name: string;
  readonly fd: number;
}

/** Room for `PID-N` behind the prefix. */
const OWNER_SIZE = 12;

/** Names tried before giving up: one is taken for every process with our number that was killed while it started. */
const NAMES_TRIED = 64;

/** Sockets opened by this process: each has a temporary name of its own. */
let opened = 0;

/**
 * Binds beside `path`, so that the later rename is atomic, as `.NAME.PID-N`, or `.PID-N` where that is too long. A name
 * that exists is left alone: in another container another process may have our number and be starting as well.
 */
export function bindBeside(path: string): BoundSocket {
  for (let attempt = 0; attempt < NAMES_TRIED; attempt++) {
    const name = `${prefixBeside(path)}${process.pid}-${++opened}`;
    if (Buffer.byteLength(name) > MAX_SOCKET_PATH) {
      throw new AesmError(
        "SOCKET_PATH",
        `the directory of ${path} is too long: the socket is bound as ${name} first, above ${MAX_SOCKET_PATH} bytes`,
      );
    }
    const bound = bind(name);
    if (typeof bound === "number") return { name, fd: bound };
    if (bound !== "EADDRINUSE") {
      throw new AesmError(
        "SOCKET_DIRECTORY",
        `${name} cannot be bound (${bound}); is ${dirname(path)} writable for this user, and on a file system with sockets?`,
      );
    }
  }
  throw new AesmError(
    "SOCKET_BIND",
    `${NAMES_TRIED} temporary names ${prefixBeside(path)}${process.pid}-N are taken; remove them if nobody is starting`,
  );
}

/** Whether `bound` is a name that {@link bindBeside} gives, by whatever process. */
export function isTemporaryName(path: string, bound: string): boolean {
  const prefix = prefixBeside(path);
  return bound.startsWith(prefix) && /^\d{1,10}-\d{1,10}$/.test(bound.slice(prefix.length));
}

function prefixBeside(path: string): string {
  const long = join(dirname(path), `.${basename(path)}.`);
  // Not by join, which would drop the lone dot.
  return Buffer.byteLength(long) + OWNER_SIZE <= MAX_SOCKET_PATH ? long : `${dirname(path)}/.`;
}

/** The descriptor, or why there is none. Does not listen, as net.Server would: that is for the event loops to begin. */
function bind(name: string): number | string {
  const create = (net as unknown as { _createServerHandle?: (path: string, port: number, type: number) => unknown })
    ._createServerHandle;
  const handle = create?.(name, -1, -1);
  const fd = (handle as { fd?: unknown } | undefined)?.fd;
  // The handle stays alive, and its descriptor open, until somebody closes it: Node holds handles strongly.
  if (typeof fd === "number" && fd >= 0) return fd;
  return typeof handle === "number" ? getSystemErrorName(handle) : "this runtime gives no descriptor";
}
