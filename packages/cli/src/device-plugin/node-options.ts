import { type ListenAddress, parseListenAddress } from "@confcom/kubernetes/status";
import { usage } from "../usage-error.ts";

/** Throws CommandError `CLI_USAGE`. */
export function listenOption(text: string, command: string, option = "--listen"): ListenAddress {
  const address = parseListenAddress(text);
  if (address === undefined) throw usage(`${option} takes host:port, got "${text}"`, command);
  return address;
}

/** The node's name by the flag, or as the DaemonSet says it in NODE_NAME. Throws CommandError `CLI_USAGE` for no node's name. */
export function nodeNameOption(flag: string | undefined, command: string): string | undefined {
  const name = flag ?? process.env.NODE_NAME;
  if (name === undefined || name === "") return undefined;
  if (name.length > 253 || !/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(name)) {
    throw usage(`"${name}" is no name of a node (--node-name, NODE_NAME)`, command);
  }
  return name;
}

/** As an address is written in a URL. */
export function urlOf({ host, port }: ListenAddress): string {
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}
