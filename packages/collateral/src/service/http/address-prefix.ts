import { isIPv4, isIPv6 } from "node:net";

/**
 * Who a peer is to the limits: IPv4 /24, IPv6 /56, which is what one subscriber gets. IPv4 inside IPv6 is IPv4. Anything
 * else (a socket that closed meanwhile) is one peer.
 */
export function addressPrefix(address: string): string {
  const mapped = address.toLowerCase().startsWith("::ffff:") ? address.slice(7) : address;
  if (isIPv4(mapped)) return `${mapped.slice(0, mapped.lastIndexOf("."))}.0/24`;
  const bare = address.split("%", 1)[0] ?? "";
  if (!isIPv6(bare)) return "unknown";
  const [left = "", right] = bare.split("::");
  const groups = left === "" ? [] : left.split(":");
  if (right !== undefined) {
    const tail = right === "" ? 0 : right.split(":").length + (right.includes(".") ? 1 : 0);
    // Only the first four groups are looked at; what `::` stands for may be among them, and so may its right side.
    const zeros = 8 - groups.length - tail;
    for (let count = 0; count < zeros; count++) groups.push("0");
    if (tail > 0) groups.push(...right.split(":"));
  }
  const [a = 0, b = 0, c = 0, d = 0] = groups.slice(0, 4).map((group) => Number.parseInt(group, 16));
  return `${[a, b, c, d & 0xff00].map((group) => group.toString(16)).join(":")}::/56`;
}

/** Whether an address or name to listen on is reached from this machine only. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIPv4(host) && host.startsWith("127."));
}
