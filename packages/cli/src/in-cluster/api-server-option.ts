import { usage } from "../usage-error.ts";

/** The API server by the flag, or as the kubelet tells every container. Throws CommandError `CLI_USAGE`. */
export function apiServerOption(flag: string | undefined, command: string): URL {
  if (flag !== undefined) return urlOption(flag, "--api-server", ["https:", "http:"], command);
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = process.env;
  if (host === undefined || host === "" || port === undefined || port === "") {
    throw usage("there is no --api-server and this is no pod: KUBERNETES_SERVICE_HOST is not set", command);
  }
  const address = `https://${host.includes(":") ? `[${host}]` : host}:${port}`;
  return urlOption(address, "KUBERNETES_SERVICE_HOST", ["https:"], command);
}

/** A URL of one of these protocols. Throws CommandError `CLI_USAGE`. */
export function urlOption(text: string, option: string, protocols: readonly string[], command: string): URL {
  const parsed = URL.parse(text);
  if (parsed === null || !protocols.includes(parsed.protocol)) {
    throw usage(`${option} takes a URL with ${protocols.join(" or ")}, got "${text}"`, command);
  }
  // A token is not sent in the clear where others can listen.
  const local = ["127.0.0.1", "[::1]", "localhost"].includes(parsed.hostname);
  if (protocols.includes("https:") && parsed.protocol === "http:" && !local) {
    throw usage(`${option} is http, which only an address of this machine may be`, command);
  }
  return parsed;
}
