import { Agent as PlainAgent } from "node:http";
import { Agent as TlsAgent } from "node:https";
import type { Clock } from "../clock.ts";
import { CollateralError } from "../errors.ts";
import { addressOf, addressOfText } from "./address.ts";
import { type Exchange, exchange, type HttpAnswer, StaleConnection } from "./exchange.ts";
import { httpFailure } from "./failure.ts";
import { DEFAULT_DEADLINES, type HttpDeadlines, PENDING_LIMIT, REDIRECT_LIMIT } from "./limits.ts";

export interface HttpTls {
  /** PEM: trusted instead of the well-known CAs. */
  readonly ca?: string | readonly string[];
  /** No check of certificate and name at all: `use_secure_cert: false`. Answers are signed, but tokens are readable. */
  readonly insecure?: boolean;
}

/** Proxies as HTTPS_PROXY, HTTP_PROXY and NO_PROXY give them; https goes through CONNECT. */
export interface HttpProxies {
  readonly https?: string;
  readonly http?: string;
  /** Hosts that are asked without a proxy, separated by commas. */
  readonly except?: string;
}

export interface HttpClientOptions {
  readonly clock: Clock;
  readonly tls?: HttpTls;
  readonly proxies?: HttpProxies;
  readonly deadlines?: Partial<HttpDeadlines>;
  /** Connections to one host at a time; 8 if left out. */
  readonly connections?: number;
}

export interface HttpRequest {
  /** Who is asked, for messages. */
  readonly source: string;
  /** http: or https:, ASCII, at most 8,192 characters. It goes on the wire as it is: never normalised but by its parser. */
  readonly url: string;
  readonly method?: "GET" | "POST" | "PUT";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  /** The largest body that is read, in bytes. */
  readonly maxBytes: number;
  readonly signal: AbortSignal;
  /** Shorter or longer ones than the client's own. */
  readonly deadlines?: Partial<HttpDeadlines>;
}

/** An HTTP client on which every source rests: bounded in time, size and number, with kept connections. */
export interface HttpClient {
  readonly clock: Clock;
  /**
   * Does a request, and follows up to three redirects of a GET to the same scheme and host; answers of any status are
   * returned. Fails with CollateralError SOURCE_UNREACHABLE, SOURCE_TIMEOUT, SOURCE_UNTRUSTED, SOURCE_BUSY (too many
   * requests of our own wait) or SOURCE_ANSWER.
   */
  fetchBytes(request: HttpRequest): Promise<HttpAnswer>;
  /** Closes kept connections. */
  close(): void;
}

const URL_LIMIT = 8_192;

function parseUrl(text: string, source: string): URL {
  const url = text.length <= URL_LIMIT && URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== "https:" && url?.protocol !== "http:") {
    throw new CollateralError("PARAMETER", `${source}: ${addressOfText(text)} cannot be asked over HTTP`, { source });
  }
  return url;
}

/**
 * Where an answer sends us, undefined if it does not. Elsewhere than on the host that was configured is refused: API
 * key, custom headers and the platform's identity would follow to a host that nobody named.
 */
function redirectOf(answer: HttpAnswer, from: URL, source: string): URL | undefined {
  if (![301, 302, 303, 307, 308].includes(answer.status)) return undefined;
  const location = answer.headers.location ?? "";
  const target =
    location !== "" && location.length <= URL_LIMIT && URL.canParse(location, from)
      ? new URL(location, from)
      : undefined;
  if (target !== undefined && target.protocol === from.protocol && target.host === from.host) return target;
  const where = target === undefined ? "nowhere" : `to ${target.protocol}//${target.host}`;
  throw new CollateralError("SOURCE_ANSWER", `${source} (${addressOf(from)}) redirects ${where}: not followed`, {
    source,
    status: answer.status,
  });
}

function unsendable(error: unknown, { source, url }: Exchange): CollateralError {
  return new CollateralError("PARAMETER", `${source} (${addressOf(url)}): the request cannot be sent`, {
    cause: error,
    source,
  });
}

/** Makes a client. Its agents keep connections without keeping the process alive. */
export function httpClient(options: HttpClientOptions): HttpClient {
  const { clock, tls = {}, proxies = {} } = options;
  const proxyEnv = {
    ...(proxies.https === undefined ? {} : { HTTPS_PROXY: proxies.https }),
    ...(proxies.http === undefined ? {} : { HTTP_PROXY: proxies.http }),
    ...(proxies.except === undefined ? {} : { NO_PROXY: proxies.except }),
  };
  const common = { maxSockets: options.connections ?? 8, maxFreeSockets: 4, proxyEnv };
  const trust = {
    minVersion: "TLSv1.2",
    rejectUnauthorized: tls.insecure !== true,
    ...(tls.ca === undefined ? {} : { ca: typeof tls.ca === "string" ? tls.ca : [...tls.ca] }),
  } as const;
  const plainAgent = (kept: { readonly keepAlive: boolean }) => new PlainAgent({ ...common, ...kept });
  const tlsAgent = (kept: { readonly keepAlive: boolean }) => new TlsAgent({ ...common, ...trust, ...kept });
  const plain = plainAgent({ keepAlive: true });
  const secure = tlsAgent({ keepAlive: true });
  let pending = 0;

  const once = async (asked: Exchange): Promise<HttpAnswer> => {
    const agent = asked.url.protocol === "https:" ? secure : plain;
    try {
      return await exchange(asked, agent, clock);
    } catch (error) {
      if (error instanceof CollateralError) throw error;
      // Node refuses header values with line breaks before anything is sent.
      if (!(error instanceof StaleConnection)) throw unsendable(error, asked);
    }
    // The server closed a kept connection at the moment it was used; one new one, and no third.
    const fresh = asked.url.protocol === "https:" ? tlsAgent({ keepAlive: false }) : plainAgent({ keepAlive: false });
    try {
      return await exchange(asked, fresh, clock);
    } catch (error) {
      // Behind a proxy a new connection comes open from the tunnel, and looks like a kept one.
      if (!(error instanceof StaleConnection)) throw error;
      throw httpFailure(error.cause, "waiting for the answer", addressOf(asked.url), asked.source);
    }
  };

  return {
    clock,
    async fetchBytes(request) {
      const { source, method = "GET" } = request;
      let url = parseUrl(request.url, source);
      if (pending >= PENDING_LIMIT) {
        throw new CollateralError("SOURCE_BUSY", `${source}: ${PENDING_LIMIT} requests to it are under way`, {
          source,
        });
      }
      pending++;
      try {
        for (let redirects = 0; redirects <= REDIRECT_LIMIT; redirects++) {
          const answer = await once({
            source,
            url,
            method,
            headers: { "user-agent": "confcom", "accept-encoding": "identity", ...request.headers },
            body: request.body,
            maxBytes: request.maxBytes,
            deadlines: { ...DEFAULT_DEADLINES, ...options.deadlines, ...request.deadlines },
            signal: request.signal,
          });
          const encoding = answer.headers["content-encoding"] ?? "identity";
          if (encoding !== "identity") {
            // Never asked for, and what it unpacks to has no limit.
            throw new CollateralError("SOURCE_ANSWER", `${source} (${addressOf(url)}) answered in a content encoding`, {
              source,
              status: answer.status,
            });
          }
          const target = method === "GET" ? redirectOf(answer, url, source) : undefined;
          if (target === undefined) return answer;
          url = target;
        }
      } finally {
        pending--;
      }
      throw new CollateralError("SOURCE_ANSWER", `${source} (${addressOf(url)}) redirects without end`, { source });
    },
    close() {
      plain.destroy();
      secure.destroy();
    },
  };
}
