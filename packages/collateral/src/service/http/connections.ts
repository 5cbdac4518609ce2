import type { Server, Socket } from "node:net";
import { addressPrefix } from "./address-prefix.ts";
import type { HttpFigures } from "./figures.ts";

/**
 * Keeps at most `limit` connections. Where one is too many, the oldest of the address prefix that has the most is cut:
 * whoever fills the server does so at his own expense.
 */
export function limitConnections(server: Server, limit: number, figures: HttpFigures): void {
  const byPrefix = new Map<string, Set<Socket>>();
  const prefixes = new Map<Socket, string>();

  const forget = (socket: Socket): void => {
    // A closed socket no longer knows its peer's address.
    const prefix = prefixes.get(socket);
    if (prefix === undefined) return;
    prefixes.delete(socket);
    figures.connections = prefixes.size;
    const siblings = byPrefix.get(prefix);
    siblings?.delete(socket);
    if (siblings?.size === 0) byPrefix.delete(prefix);
  };
  server.on("connection", (socket: Socket) => {
    const prefix = addressPrefix(socket.remoteAddress ?? "");
    prefixes.set(socket, prefix);
    byPrefix.set(prefix, (byPrefix.get(prefix) ?? new Set()).add(socket));
    figures.connections = prefixes.size;
    socket.once("close", () => forget(socket));
    if (prefixes.size <= limit) return;
    let most: Set<Socket> = new Set();
    for (const siblings of byPrefix.values()) if (siblings.size > most.size) most = siblings;
    const [oldest] = most;
    if (oldest === undefined) return;
    // Forgotten at once: its "close" comes later than the next newcomer of a burst.
    forget(oldest);
    figures.limit("connections");
    oldest.destroy();
  });
}
