import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { messageOf } from "../errors.ts";
import { limitConnections } from "./connection-limit.ts";
import type { ListenAddress } from "./listen-address.ts";
import { listening } from "./listening.ts";

/** Whether something holds, and in one sentence why (not). */
export interface Verdict {
  readonly ok: boolean;
  readonly why: string;
}

/** What a daemon says over HTTP. Each is asked anew for every request and must answer from memory, or within a bound. */
export interface StatusSource {
  /** Body of `/status`, serialised as JSON. */
  status(): unknown;
  /** `/healthz`: the process works; a supervisor starts it again when not. */
  healthy(): Verdict;
  /** `/readyz`: it does what it is for. */
  ready(): Verdict | Promise<Verdict>;
  /** Body of `/metrics`, Prometheus text. Without it there is no such path. */
  metrics?(): Promise<string> | string;
}

export interface StatusServer {
  readonly address: ListenAddress;
  /** Ends at once: connections that are still open are cut. */
  close(): Promise<void>;
}

/** Bounds on what a stranger on the pod network can make the process hold. Times in ms, sizes in bytes. */
const LIMITS = { connections: 64, headerBytes: 8192, headersTimeout: 5000, requestTimeout: 10_000, keepAlive: 5000 };

const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/**
 * Serves `/status`, `/healthz`, `/readyz` and `/metrics`: GET and HEAD only, no request body, no TLS, nothing that
 * changes anything. Throws KubernetesError `STATUS_ADDRESS_UNUSABLE`.
 */
export async function startStatusServer(listen: ListenAddress, source: StatusSource): Promise<StatusServer> {
  const server = createServer(
    {
      maxHeaderSize: LIMITS.headerBytes,
      headersTimeout: LIMITS.headersTimeout,
      requestTimeout: LIMITS.requestTimeout,
      keepAliveTimeout: LIMITS.keepAlive,
      connectionsCheckingInterval: 1000,
    },
    (request, response) => void respond(source, request, response),
  );
  limitConnections(server, LIMITS.connections);
  const address = await listening(server, listen);
  return { address, close: () => closed(server) };
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

interface Reply {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

async function respond(source: StatusSource, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const reply = await answer(source, request);
  const bodied = hasBody(request);
  response.writeHead(reply.status, {
    "content-type": reply.type,
    "content-length": Buffer.byteLength(reply.body),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    ...(reply.status === 405 ? { allow: "GET, HEAD" } : {}),
    // A body that was not read must not be taken for the next request.
    ...(bodied ? { connection: "close" } : {}),
  });
  response.end(request.method === "HEAD" ? undefined : reply.body);
}

const text = (status: number, body: string): Reply => ({
  status,
  type: "text/plain; charset=utf-8",
  body: `${body}\n`,
});

const verdict = ({ ok, why }: Verdict): Reply => text(ok ? 200 : 503, why);

async function answer(source: StatusSource, request: IncomingMessage): Promise<Reply> {
  if (request.method !== "GET" && request.method !== "HEAD") return text(405, "GET and HEAD only");
  if (hasBody(request)) return text(413, "no request body is taken");
  const path = (request.url ?? "/").split("?", 1)[0];
  try {
    if (path === "/healthz") return verdict(source.healthy());
    if (path === "/readyz") return verdict(await source.ready());
    if (path === "/status") {
      return { status: 200, type: "application/json", body: `${JSON.stringify(source.status(), null, 2)}\n` };
    }
    if (path === "/metrics" && source.metrics !== undefined) {
      return { status: 200, type: METRICS_TYPE, body: await source.metrics() };
    }
    return text(404, "not found: there are /status, /healthz, /readyz and /metrics");
  } catch (error) {
    return text(500, messageOf(error));
  }
}

function hasBody(request: IncomingMessage): boolean {
  const { "content-length": length, "transfer-encoding": encoding } = request.headers;
  return encoding !== undefined || (length !== undefined && length !== "0");
}
