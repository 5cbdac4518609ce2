import { createServer, type Server } from "node:https";
import { limitConnections } from "../../status/connection-limit.ts";
import { type AdmissionHandlerOptions, createAdmissionHandler } from "./admission-handler.ts";

/** PEM, as `tls.createSecureContext` takes them. */
export interface ServingCertificate {
  readonly cert: string;
  readonly key: string;
}

/** Bounds on what a stranger can make the process hold. Times in ms, sizes in bytes. */
const LIMITS = {
  /** API servers keep 25 idle connections each and open one more for each pod that is being created. */
  connections: 1_024,
  handshakeTimeout: 5_000,
  headerBytes: 16_384,
  headersTimeout: 5_000,
  requestTimeout: 15_000,
  /** API servers give an idle connection up after 90 s: who waits longer never cuts a request that is on its way. */
  keepAlive: 120_000,
};

/**
 * A server for the API servers' calls, not yet listening: HTTP/1.1 with kept connections, which is what they ask for even
 * where HTTP/2 is offered, TLS 1.2 or newer. `setSecureContext` gives it another certificate; connections that exist stay.
 */
export function createAdmissionServer(options: AdmissionHandlerOptions & { readonly tls: ServingCertificate }): Server {
  const server = createServer(
    {
      ...options.tls,
      minVersion: "TLSv1.2",
      handshakeTimeout: LIMITS.handshakeTimeout,
      maxHeaderSize: LIMITS.headerBytes,
      headersTimeout: LIMITS.headersTimeout,
      requestTimeout: LIMITS.requestTimeout,
      keepAliveTimeout: LIMITS.keepAlive,
      connectionsCheckingInterval: 1_000,
      noDelay: true,
    },
    createAdmissionHandler(options),
  );
  limitConnections(server, LIMITS.connections);
  // A handshake that fails is one stranger's; without a listener nothing is lost either.
  server.on("tlsClientError", (_error, socket) => socket.destroy());
  return server;
}
