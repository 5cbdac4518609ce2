import { AesmServer, type AesmServerOptions } from "./aesm-server.ts";
import { DEFAULT_LIMITS, limitsForLoop, openFileLimit } from "./limits.ts";
import type { LossReason } from "./socket-file/path-watch.ts";
import { openSocketFile, type SocketFile } from "./socket-file/socket-file.ts";

export interface ServeOptions extends AesmServerOptions {
  readonly socketPath: string;
  readonly takeover?: boolean;
  /** Called once when another process took the path or it vanished; the server drains and closes by itself then. */
  readonly onLost?: (reason: LossReason) => void;
}

/** A service on one event loop with its socket path. */
export interface RunningServer {
  readonly server: AesmServer;
  readonly socketFile: SocketFile;
  /** Ends when the server has closed, for whatever reason. */
  readonly closed: Promise<void>;
  /** Removes the path if it is still ours, answers everybody who had connected, and closes; bounded by `deadlineMs`. */
  close(deadlineMs?: number): Promise<void>;
}

/** Serves on a socket path with one event loop. Throws what `openSocketFile` and `SocketFile.publish` do. */
export async function serve(options: ServeOptions): Promise<RunningServer> {
  const limits = limitsForLoop({ ...DEFAULT_LIMITS, ...options.limits }, 1, openFileLimit());
  const server = new AesmServer({ ...options, limits });
  const socketFile = await openSocketFile({ path: options.socketPath, takeover: options.takeover ?? false });
  let ending: Promise<void> | undefined;
  let closed: () => void = () => undefined;
  const whenClosed = new Promise<void>((resolve) => {
    closed = resolve;
  });
  const close = (deadlineMs?: number): Promise<void> => {
    ending ??= (async () => {
      socketFile.remove();
      await server.drain(deadlineMs === undefined ? {} : { deadline: deadlineMs });
      await server.close();
      closed();
    })();
    return ending;
  };
  try {
    await server.listen({ fd: socketFile.fd });
    await socketFile.publish();
  } catch (error) {
    socketFile.remove();
    await server.close();
    throw error;
  }
  socketFile.watch((reason) => {
    options.onLost?.(reason);
    void close();
  });
  return { server, socketFile, closed: whenClosed, close };
}
