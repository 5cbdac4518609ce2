import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock, Random } from "../../clock.ts";
import type { CollateralService } from "../service.ts";
import { PCCS_STATUS, ServiceRefusal } from "../status.ts";
import { AccessLog, type AccessLogSink } from "./access-log.ts";
import { Administration } from "./administration.ts";
import { BodyTooLarge } from "./body.ts";
import { documentRead, readDocument } from "./documents.ts";
import { type Endpoint, type EndpointMethod, route, type TokenKind } from "./endpoints.ts";
import { type EndpointFigures, HttpFigures } from "./figures.ts";
import type { HttpLimits } from "./limits.ts";
import { type Peer, Peers } from "./peers.ts";
import { Query } from "./query.ts";
import { hasBody, isFresh, pathOf } from "./request-form.ts";
import { RequestIds } from "./request-id.ts";
import { allowedMethods, nothingHere, type PreparedResponse, refusalResponse, textResponse } from "./response.ts";
import { type CacheEntry, ResponseCache } from "./response-cache.ts";
import { TOKEN_HEADERS, type TokenHashes, Tokens } from "./tokens.ts";

export interface EdgeOptions {
  readonly service: CollateralService;
  readonly tokens: TokenHashes;
  readonly limits: HttpLimits;
  readonly clock: Clock;
  readonly random: Random;
  readonly accessLog?: AccessLogSink | undefined;
  readonly refused?: ((request: RefusedRequest) => void) | undefined;
}

/** A request that got no answer but a refusal, and why: nothing in it is secret. */
export interface RefusedRequest {
  readonly status: number;
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** Which document or platform; empty where it is not known. */
  readonly key: string;
  readonly reason: string;
  /** The Request-ID of the answer. */
  readonly id: string;
}

/** What is known of a request on its way to its answer. */
interface Turn {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: string;
  readonly started: number;
  readonly id: string;
  readonly peer: Peer;
  path: string;
  figures: EndpointFigures;
  /** For the log: which document. */
  key: string;
  /** For the log: why it was refused. */
  reason: string;
}

/** The PCCS API on requests and responses of node:http: every request gets one answer, whatever it is (spec: DCAP §12). */
export class Edge {
  readonly figures = new HttpFigures();
  readonly cache: ResponseCache;
  readonly peers: Peers;
  readonly log: AccessLog;
  readonly #service: CollateralService;
  readonly #limits: HttpLimits;
  readonly #clock: Clock;
  readonly #ids: RequestIds;
  readonly #administration: Administration;
  readonly #unsubscribe: () => void;
  readonly #refused: ((request: RefusedRequest) => void) | undefined;
  #tokens: Tokens;
  /** Connections end with their answer. */
  draining = false;

  constructor({ service, tokens, limits, clock, random, accessLog, refused }: EdgeOptions) {
    this.#refused = refused;
    this.#service = service;
    this.#limits = limits;
    this.#clock = clock;
    this.#tokens = new Tokens(tokens);
    this.#ids = new RequestIds(random);
    this.#administration = new Administration(service, limits, this.figures);
    this.cache = new ResponseCache(limits.responseCache);
    this.peers = new Peers(limits);
    this.log = new AccessLog(accessLog, clock, limits.maxLogLines);
    this.#unsubscribe = service.onChange((changes) => this.cache.forget(changes));
  }

  /** Fails with SERVICE_CONFIGURATION, and the tokens before hold. */
  reloadTokens(tokens: TokenHashes): void {
    this.#tokens = new Tokens(tokens);
  }

  /** Nothing is answered after it. */
  close(): void {
    this.#unsubscribe();
    this.log.flush();
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    const started = this.#clock.now();
    const url = request.url ?? "";
    const { headers, socket } = request;
    const peer = this.peers.of(socket, started);
    const allowed = this.peers.takeRequest(peer, started);
    if (allowed && request.method === "GET" && headers["if-none-match"] === undefined && !hasBody(request)) {
      const entry = this.cache.byUrl(url, started);
      if (entry !== undefined) {
        this.#hit(entry, request, response, started);
        return;
      }
    }
    const id = this.#ids.next(headers["request-id"]);
    const figures = this.figures.of("unknown");
    const turn: Turn = { request, response, url, started, id, peer, path: "", figures, key: "", reason: "" };
    response.on("error", ignore);
    request.on("error", ignore);
    if (!allowed) {
      this.figures.limit("requests");
      turn.path = pathOf(url).slice(0, MAX_LOGGED_PATH);
      turn.reason = "over the rate of its address prefix";
      this.#send(turn, unavailable(1));
      return;
    }
    this.#answer(turn);
  }

  #hit(entry: CacheEntry, request: IncomingMessage, response: ServerResponse, started: number): void {
    const prepared = entry.response as PreparedResponse;
    const id = this.#ids.next(request.headers["request-id"]);
    if (this.draining) response.shouldKeepAlive = false;
    // The list is shared and read before writeHead returns.
    prepared.head[1] = id;
    response.writeHead(prepared.status, prepared.head);
    response.end(prepared.body, "latin1");
    entry.figures.hits++;
    if (this.log.wanted) this.log.hit(started, id, request.socket.remoteAddress ?? "", entry, prepared.length);
  }

  #answer(turn: Turn): void {
    let answer: PreparedResponse | Promise<PreparedResponse>;
    try {
      answer = this.#decide(turn);
    } catch (error) {
      answer = this.#refusal(turn, error);
    }
    if (!(answer instanceof Promise)) {
      this.#send(turn, answer);
      return;
    }
    this.figures.inFlight++;
    answer
      .catch((error: unknown) => this.#refusal(turn, error))
      .then((prepared) => {
        this.figures.inFlight--;
        this.#send(turn, prepared);
      });
  }

  #decide(turn: Turn): PreparedResponse | Promise<PreparedResponse> {
    const { request, url } = turn;
    const method = request.method ?? "";
    if (url.length > this.#limits.maxUrl) {
      turn.path = url.slice(0, MAX_LOGGED_PATH);
      throw new ServiceRefusal(400, `the URL has more than ${this.#limits.maxUrl} bytes`);
    }
    const path = pathOf(url);
    turn.path = path.slice(0, MAX_LOGGED_PATH);
    const routed = route(path);
    if (routed.kind === "version") throw new ServiceRefusal(500, "the version in the URL is neither v3 nor v4");
    if (routed.kind === "unknown") return nothingHere(method, path);
    const { endpoint } = routed;
    turn.figures = this.figures.of(endpoint.name);
    if (endpoint.guarded !== undefined) this.#authenticate(turn, endpoint.guarded);
    if (method === "OPTIONS") return allowedMethods(methodsOf(endpoint));
    const operation = endpoint.operations.find((one) => one.method === (method === "HEAD" ? "GET" : method));
    // HEAD would hand over a queue or refresh without anybody reading what came of it.
    if (operation === undefined || (method === "HEAD" && operation.token !== undefined))
      return nothingHere(method, path);
    if (operation.token !== undefined && endpoint.guarded === undefined) this.#authenticate(turn, operation.token);
    if (this.figures.inFlight >= this.#limits.maxInFlight) {
      this.figures.limit("in-flight");
      throw new ServiceRefusal(503, "too many requests wait for the service", { retryAfter: 1 });
    }
    const query = new Query(url.includes("?") ? url.slice(url.indexOf("?") + 1) : "");
    if (endpoint.name === "platforms" || operation.token !== undefined || endpoint.name === "appraisalpolicy") {
      const name = operation.method as EndpointMethod;
      return this.#administration.answer(endpoint.name, name, {
        request,
        response: turn.response,
        query,
        about: (key) => {
          turn.key = key;
        },
      });
    }
    const read = documentRead(endpoint, query, routed);
    turn.key = read.representation;
    const entry = this.cache.byRepresentation(read.representation, url, turn.started);
    if (entry?.response !== undefined) return entry.response;
    if (!this.peers.takeMiss(turn.peer, turn.started)) {
      this.figures.limit("misses");
      throw new ServiceRefusal(503, "over the rate of misses of its address prefix", { retryAfter: 1 });
    }
    return this.#charged(turn, (asking) =>
      readDocument(this.#service, this.cache, read, url, path, turn.figures, asking),
    );
  }

  /**
   * What the upstream has no answer to is charged to the prefix that asked: the budget for misses is everybody's, and who
   * asks for what is nowhere must not use it up. Answers cost nothing, so that a fleet behind one address gets all of its own.
   */
  #charged(turn: Turn, read: (asking: () => void) => PreparedResponse | Promise<PreparedResponse>) {
    let asked = false;
    const prepared = read(() => {
      if (!this.peers.mayAsk(turn.peer, this.#clock.now())) {
        this.figures.limit("unanswered");
        const reason = "its address prefix asked for too much that is nowhere";
        throw new ServiceRefusal(503, reason, { retryAfter: UNANSWERED_RETRY_S });
      }
      asked = true;
    });
    if (!(prepared instanceof Promise)) return prepared;
    return prepared.catch((error: unknown) => {
      // 5xx is the upstream's failure or a full budget, not what was asked for.
      if (asked && error instanceof ServiceRefusal && error.status < 500)
        this.peers.unanswered(turn.peer, this.#clock.now());
      throw error;
    });
  }

  /**
   * 401 for a missing token or a wrong one. A right one is never refused: a cluster's pods may all share the address prefix
   * of the one that guesses. After too many wrong ones each costs its sender the connection; us it costs one hash.
   */
  #authenticate(turn: Turn, kind: TokenKind): void {
    const token = turn.request.headers[TOKEN_HEADERS[kind]];
    if (token !== undefined && this.#tokens.accepts(kind, token)) return;
    let reason = `the ${kind} token is ${token === undefined ? "missing" : "wrong"}`;
    if (token !== undefined && !this.peers.takeWrongToken(turn.peer, turn.started)) {
      this.figures.limit("wrong-tokens");
      turn.response.shouldKeepAlive = false;
      reason = "too many wrong tokens from this address prefix";
    }
    this.figures.tokensRefused++;
    throw new ServiceRefusal(401, reason);
  }

  #refusal(turn: Turn, error: unknown): PreparedResponse {
    turn.reason = error instanceof Error ? error.message : "failed";
    if (error instanceof BodyTooLarge) {
      turn.reason = "the body is longer than the limit";
      return refusalResponse(413, PCCS_STATUS[400]);
    }
    if (!(error instanceof ServiceRefusal)) return textResponse(500);
    if (error.status === 503) return unavailable(error.retryAfter);
    return textResponse(error.status);
  }

  #send(turn: Turn, prepared: PreparedResponse): void {
    const { request, response, id, started } = turn;
    const ms = Math.max(0, this.#clock.now() - started);
    // Without a status the log and figures would count an answer that nobody got.
    const gone = response.destroyed || response.socket?.destroyed === true;
    const fresh = prepared.etag !== undefined && isFresh(request, prepared.etag);
    const status = gone ? 499 : fresh ? 304 : prepared.status;
    turn.figures.answered(status, ms);
    if (!gone) {
      // What was not read of a body would be taken for the next request, or read to its end for nothing.
      if (this.draining || (hasBody(request) && !request.complete)) response.shouldKeepAlive = false;
      if (fresh) {
        response.writeHead(304, ["Request-ID", id, "ETag", prepared.etag ?? ""]);
        response.end();
      } else {
        prepared.head[1] = id;
        response.writeHead(prepared.status, prepared.head);
        response.end(prepared.body, "latin1");
      }
    }
    if (turn.reason !== "" && this.#refused !== undefined) {
      const { key, reason, path } = turn;
      this.#refused({ status: prepared.status, method: request.method ?? "", path, key, reason, id });
    }
    if (!this.log.wanted) return;
    const { method = "", socket } = request;
    const { path, key, reason } = turn;
    const bytes = fresh ? 0 : prepared.length;
    this.log.answer({
      time: started,
      id,
      peer: socket.remoteAddress ?? "",
      method,
      path,
      key,
      status,
      bytes,
      ms,
      reason,
    });
  }
}

const MAX_LOGGED_PATH = 128;
const UNANSWERED_RETRY_S = 5;

const ignore = (): void => {};

function methodsOf(endpoint: Endpoint): string[] {
  return endpoint.operations.flatMap(({ method, token }) =>
    method === "GET" && token === undefined ? ["GET", "HEAD"] : [method],
  );
}

/** Intel's client comes back on 503 alone, so no 429 is sent. */
function unavailable(retryAfter: number | undefined): PreparedResponse {
  if (retryAfter === undefined) return textResponse(503);
  return refusalResponse(503, PCCS_STATUS[503], ["Retry-After", `${Math.max(1, Math.ceil(retryAfter))}`]);
}
