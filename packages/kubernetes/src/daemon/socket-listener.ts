import { connect } from "node:net";

/** Whether somebody listens on a Unix domain socket. */
export function listens(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path, timeout: 2000 });
    const settle = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", () => settle(true));
    // Slow, or out of reach, is not gone: only a path without a listener is.
    socket.once("timeout", () => settle(true));
    socket.once("error", (error: NodeJS.ErrnoException) =>
      settle(!["ENOENT", "ECONNREFUSED"].includes(error.code ?? "")),
    );
  });
}
