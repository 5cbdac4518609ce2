import { once } from "node:events";
import { createServer as createHttpServer, type Server as HttpServer, type ServerOptions } from "node:http";
import { createServer as createHttpsServer, type Server as HttpsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Clock, Random } from "../../clock.ts";
import { CollateralError } from "../../errors.ts";
import type { CollateralService } from "../service.ts";
import type { AccessLogSink } from "./access-log.ts";
import { isLoopback } from "./address-prefix.ts";
import { limitConnections } from "./connections.ts";
import { Edge, type RefusedRequest } from "./edge.ts";
import { changeLimits, type HttpLimits, httpLimits } from "./limits.ts";
import { type HttpMetric, httpMetrics } from "./metrics.ts";
import type { TokenHashes } from "./tokens.ts";

/** PEM. */
export interface TlsIdentity {
  readonly certificate: string;
  readonly key: string;
}

export interface PccsServerOptions {
  readonly service: CollateralService;
  readonly listen: { readonly host: string; readonly port: number };
  /** Left out: plain HTTP, which {@link plainHttp} asks for, and which a loopback address alone may have. */
  readonly tls?: TlsIdentity | undefined;
  readonly plainHttp?: boolean | undefined;
  readonly tokens: TokenHashes;
  readonly limits?: Partial<HttpLimits> | undefined;
  readonly clock: Clock;
  readonly random: Random;
  /** JSON lines; left out: none are made. */
  readonly accessLog?: AccessLogSink | undefined;
  /** For the service's own log; the access log has every request. */
  readonly refused?: ((request: RefusedRequest) => void) | undefined;
}

export interface PccsServer {
  /** With the port that was bound, without a path. */
  readonly url: string;
  readonly address: { readonly host: string; readonly port: number };
  /** For connections that come from now on. Fails with SERVICE_CONFIGURATION, and the certificate before holds. */
  reloadTls(tls: TlsIdentity): void;
  /** Fails with SERVICE_CONFIGURATION, and the tokens before hold. */
  reloadTokens(tokens: TokenHashes): void;
  /**
   * All limits anew, the defaults for what is left out. Returns the names of those that differ and need a restart. Fails with
   * SERVICE_CONFIGURATION, and the limits before hold.
   */
  reloadLimits(limits: Partial<HttpLimits>): readonly string[];
  metrics(): readonly HttpMetric[];
  /** Takes no new connections, lets requests under way end, and cuts at the deadline what is left. The service is the caller's. */
  close(options: { readonly deadlineMs: number }): Promise<void>;
}

/** As the reference: no signatures with SHA-1. */
const SIGNATURES = [
  "ecdsa_secp256r1_sha256",
  "ecdsa_secp384r1_sha384",
  "ecdsa_secp521r1_sha512",
  "rsa_pss_rsae_sha256",
  "rsa_pss_rsae_sha384",
  "rsa_pss_rsae_sha512",
  "rsa_pkcs1_sha256",
  "rsa_pkcs1_sha384",
  "rsa_pkcs1_sha512",
].join(":");

/**
 * Serves the PCCS API v3 and v4 (spec: DCAP §12) until it is closed. Fails with SERVICE_CONFIGURATION where the address,
 * certificate, tokens or limits cannot be used.
 */
export async function startPccsServer(options: PccsServerOptions): Promise<PccsServer> {
  const { listen, tls, clock } = options;
  if (tls === undefined) refuseOpenHttp(listen.host, options.plainHttp === true);
  const limits = httpLimits(options.limits);
  const edge = new Edge({ ...options, limits });
  let server: HttpServer | HttpsServer;
  try {
    server = makeServer(limits, tls);
    server.on("request", (request, response) => edge.handle(request, response));
    server.on("checkContinue", (request, response) => edge.handle(request, response));
    server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => {
      edge.figures.malformed++;
      refuseMalformed(error, socket);
    });
    limitConnections(server, limits.maxConnections, edge.figures);
    await bind(server, listen);
  } catch (error) {
    edge.close();
    throw error;
  }
  const { port } = server.address() as AddressInfo;
  const host = listen.host.includes(":") ? `[${listen.host}]` : listen.host;
  return {
    url: `${tls === undefined ? "http" : "https"}://${host}:${port}`,
    address: { host: listen.host, port },
    reloadTls(next) {
      if (!("setSecureContext" in server)) {
        throw new CollateralError(
          "SERVICE_CONFIGURATION",
          "the service runs without TLS, so no certificate is reloaded",
        );
      }
      const secured = server;
      withUsableTls(() => secured.setSecureContext(tlsOptions(next)));
    },
    reloadTokens: (tokens) => edge.reloadTokens(tokens),
    reloadLimits(next) {
      const later = changeLimits(limits, next);
      server.headersTimeout = Math.min(limits.headersTimeout, limits.requestTimeout);
      server.requestTimeout = limits.requestTimeout;
      server.keepAliveTimeout = limits.keepAliveTimeout;
      server.setTimeout(limits.requestTimeout);
      return later;
    },
    metrics: () => httpMetrics(edge),
    async close({ deadlineMs }) {
      edge.draining = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      const cut = clock.setTimeout(() => server.closeAllConnections(), deadlineMs);
      await closed;
      clock.clearTimeout(cut);
      edge.close();
    },
  };
}

function refuseOpenHttp(host: string, wanted: boolean): void {
  if (!wanted) {
    throw new CollateralError("SERVICE_CONFIGURATION", "there is no TLS certificate, and plain HTTP was not asked for");
  }
  if (isLoopback(host)) return;
  throw new CollateralError("SERVICE_CONFIGURATION", `plain HTTP is served on loopback addresses only, not on ${host}`);
}

function makeServer(limits: HttpLimits, tls: TlsIdentity | undefined): HttpServer | HttpsServer {
  const settings: ServerOptions = {
    maxHeaderSize: limits.maxHeader,
    headersTimeout: Math.min(limits.headersTimeout, limits.requestTimeout),
    requestTimeout: limits.requestTimeout,
    keepAliveTimeout: limits.keepAliveTimeout,
    connectionsCheckingInterval: Math.min(1000, limits.headersTimeout),
    noDelay: true,
  };
  const server =
    tls === undefined
      ? createHttpServer(settings)
      : withUsableTls(() =>
          createHttpsServer({ ...settings, ...tlsOptions(tls), handshakeTimeout: limits.headersTimeout }),
        );
  // A reader who takes nothing, and a service that answers nothing.
  server.setTimeout(limits.requestTimeout);
  return server;
}

function tlsOptions({ certificate, key }: TlsIdentity) {
  return { cert: certificate, key, sigalgs: SIGNATURES, minVersion: "TLSv1.2" as const };
}

/** OpenSSL's message says what is wrong and quotes no key. */
function withUsableTls<T>(use: () => T): T {
  try {
    return use();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : "";
    throw new CollateralError("SERVICE_CONFIGURATION", `TLS certificate and key cannot be used: ${why}`, { cause });
  }
}

async function bind(server: HttpServer | HttpsServer, { host, port }: PccsServerOptions["listen"]): Promise<void> {
  const listening = once(server, "listening");
  server.listen({ host, port, backlog: 4096 });
  try {
    await listening;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : "";
    throw new CollateralError("SERVICE_CONFIGURATION", `cannot listen on ${host}:${port}: ${why}`, { cause });
  }
}

/** What is no HTTP gets the status that says so, and its connection ends. */
function refuseMalformed(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const status =
    error.code === "HPE_HEADER_OVERFLOW"
      ? "431 Request Header Fields Too Large"
      : error.code === "ERR_HTTP_REQUEST_TIMEOUT"
        ? "408 Request Timeout"
        : "400 Bad Request";
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy());
}
