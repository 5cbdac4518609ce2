import type { AddressInfo, Server } from "node:net";
import { KubernetesError } from "../errors.ts";
import type { ListenAddress } from "./listen-address.ts";

/** Makes a server listen; answers where, with the port that it got. Throws KubernetesError `STATUS_ADDRESS_UNUSABLE`. */
export function listening(server: Server, { host, port }: ListenAddress): Promise<ListenAddress> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) =>
      reject(
        new KubernetesError("STATUS_ADDRESS_UNUSABLE", `cannot listen on ${host}:${port}: ${cause.message}`, { cause }),
      ),
    );
    server.listen({ host, port }, () => {
      server.removeAllListeners("error");
      // What fails later concerns one connection, never the daemon.
      server.on("error", () => {});
      resolve({ host, port: (server.address() as AddressInfo).port });
    });
  });
}
