import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { ClusterError } from "./errors.ts";

/**
 * Holds all of `keys` for this process, until it releases them or ends, however it ends: abstract sockets, which leave no
 * file behind. Throws ClusterError `ALREADY_RUNNING` while another process, or this one, holds any of them.
 */
export async function startLock(keys: readonly string[]): Promise<() => void> {
  const held: Server[] = [];
  const release = (): void => {
    for (const server of held) server.close();
  };
  for (const key of keys) {
    const server = createServer((socket) => socket.destroy());
    server.unref();
    // A path may be longer than a socket's name.
    server.listen(`\0confcom-dev-${createHash("sha256").update(key).digest("hex")}`);
    try {
      await once(server, "listening");
    } catch (cause) {
      release();
      throw new ClusterError("ALREADY_RUNNING", `a cluster of this ${key} is being started at this moment`, { cause });
    }
    held.push(server);
  }
  return release;
}
