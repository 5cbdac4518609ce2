import { runInMachine, runInNetwork } from "./commands.ts";
import { NETWORK } from "./layout.ts";

/**
 * A link from a machine's network namespace to the cluster's bridge, with its address and its way out. `outer` and `init`
 * are the first processes of the cluster and of the machine; `pods`: the range that the cluster finds behind this machine.
 */
export async function connectMachine(
  outer: number,
  init: number,
  address: string,
  pods: string | undefined,
): Promise<void> {
  // Names of links have 15 characters at most: the last number of the address names this one.
  const link = `machine${address.slice(address.lastIndexOf(".") + 1)}`;
  await runInNetwork(outer, ["ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", String(init)]);
  await runInNetwork(outer, ["ip", "link", "set", link, "master", "machines", "up"]);
  const setUp = [
    "set -e",
    "ip link set lo up",
    `ip address add ${address}/${NETWORK.prefixLength} dev eth0`,
    "ip link set eth0 up",
    `ip route add default via ${NETWORK.gateway}`,
    "echo 1 >/proc/sys/net/ipv4/ip_forward",
  ];
  await runInMachine(init, ["sh", "-c", setUp.join("\n")]);
  if (pods !== undefined) await runInNetwork(outer, ["ip", "route", "add", pods, "via", address]);
}
