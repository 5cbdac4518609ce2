import type { Server } from "node:http";
import type { Socket } from "node:net";

/**
 * Keeps at most `limit` connections of a server. Where one is too many, the oldest of the address that has the most is
 * cut, not the new one: whoever fills the server does so at his own expense, and the kubelet, which comes from another
 * address, still gets its probes answered. Refusing newcomers would let any pod have the container restarted.
 */
export function limitConnections(server: Server, limit: number): void {
  /** Sockets by the peer's address, in the order of arrival. */
  const byAddress = new Map<string, Set<Socket>>();
  /** A closed socket no longer knows its peer's address. */
  const addresses = new Map<Socket, string>();

  const forget = (socket: Socket): void => {
    const address = addresses.get(socket);
    if (address === undefined) return;
    addresses.delete(socket);
    const siblings = byAddress.get(address);
    siblings?.delete(socket);
    if (siblings?.size === 0) byAddress.delete(address);
  };
  server.on("connection", (socket: Socket) => {
    const address = socket.remoteAddress ?? "";
    addresses.set(socket, address);
    byAddress.set(address, (byAddress.get(address) ?? new Set()).add(socket));
    socket.once("close", () => forget(socket));
    if (addresses.size <= limit) return;
    const [oldest] = largest(byAddress.values());
    // Forgotten at once: its "close" comes later than the next newcomer of a burst, who is to cut another one.
    if (oldest !== undefined) forget(oldest);
    oldest?.destroy();
  });
}

function largest(sets: Iterable<Set<Socket>>): Set<Socket> {
  let most: Set<Socket> = new Set();
  for (const set of sets) if (set.size > most.size) most = set;
  return most;
}
