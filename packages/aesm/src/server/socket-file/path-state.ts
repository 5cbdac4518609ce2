import { lstatSync } from "node:fs";
import { createConnection } from "node:net";
import { AesmError } from "../../errors.ts";

/** A file's identity: a path is still ours while it leads to the same one. */
export interface FileIdentity {
  readonly device: number;
  readonly inode: number;
}

/** What lies at a socket path. */
export type PathState =
  | { readonly kind: "absent" }
  | { readonly kind: "stale"; readonly identity: FileIdentity }
  | { readonly kind: "live"; readonly identity: FileIdentity };

/** The socket's identity, undefined when nothing is there. Throws `SOCKET_NOT_A_SOCKET` for anything else. */
export function socketIdentity(path: string): FileIdentity | undefined {
  let status: ReturnType<typeof lstatSync>;
  try {
    status = lstatSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new AesmError("SOCKET_DIRECTORY", `${path} cannot be looked at: ${(error as Error).message}`, {
      cause: error,
    });
  }
  if (!status.isSocket()) {
    throw new AesmError(
      "SOCKET_NOT_A_SOCKET",
      `${path} exists and is not a socket; move it away, it is not overwritten`,
    );
  }
  return { device: status.dev, inode: status.ino };
}

export function sameFile(a: FileIdentity | undefined, b: FileIdentity | undefined): boolean {
  return a !== undefined && b !== undefined && a.device === b.device && a.inode === b.inode;
}

/** Finds out by connecting whether somebody answers on the path. Throws `SOCKET_OWNER_UNKNOWN` when that is refused. */
export async function inspectPath(path: string): Promise<PathState> {
  const identity = socketIdentity(path);
  if (identity === undefined) return { kind: "absent" };
  const failure = await connectionFailure(path);
  if (failure === undefined || failure.code === "EAGAIN") return { kind: "live", identity };
  if (failure.code === "ECONNREFUSED") return { kind: "stale", identity };
  if (failure.code === "ENOENT") return { kind: "absent" };
  throw new AesmError(
    "SOCKET_OWNER_UNKNOWN",
    `${path} is a socket, but whether it is in use is unknown (${failure.code ?? failure.message})`,
    { cause: failure },
  );
}

function connectionFailure(path: string): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    const socket = createConnection({ path });
    socket.on("connect", () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.on("error", resolve);
  });
}
