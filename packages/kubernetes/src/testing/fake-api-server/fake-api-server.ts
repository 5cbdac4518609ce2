import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { mergePatch } from "./merge-patch.ts";
import { ObjectStore } from "./object-store.ts";

export interface FakeNode {
  readonly kind: "Node";
  readonly metadata: {
    readonly name: string;
    readonly resourceVersion: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
  };
  readonly status: { readonly capacity: Readonly<Record<string, string>> };
}

export interface FakeEvent {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly reason: string;
  readonly message: string;
  readonly count: number;
  readonly involvedObject: Readonly<Record<string, string>>;
}

/** What a test may have the server do differently; read at each request. */
export interface FakeApiBehaviour {
  /** Never answers. */
  hang?: boolean;
  /** Answers with this instead; undefined: as usual. */
  answer?: ((method: string, path: string) => Refusal | undefined) | undefined;
}

export interface Refusal {
  readonly status: number;
  readonly message?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent instead of a Status object. */
  readonly body?: string;
}

/**
 * As much of an API server as the daemons talk to: one node, events, Secrets, ConfigMaps and webhook configurations.
 * A node's quantities come back in canonical form.
 */
export class FakeApiServer {
  readonly behaviour: FakeApiBehaviour = {};
  readonly requests: {
    readonly method: string;
    readonly url: string;
    readonly token: string;
    readonly body: unknown;
  }[] = [];
  readonly events = new Map<string, FakeEvent>();
  readonly objects = new ObjectStore();
  #node: FakeNode;
  #version = 1;
  #port = 0;
  #server: Server | undefined;
  readonly #tls: { readonly key: string; readonly cert: string } | undefined;

  private constructor(name: string, tls: { readonly key: string; readonly cert: string } | undefined) {
    const metadata = { name, resourceVersion: "1", labels: { "kubernetes.io/os": "linux" }, annotations: {} };
    this.#node = { kind: "Node", metadata, status: { capacity: { cpu: "2" } } };
    this.#tls = tls;
  }

  static async start(
    options: { readonly node?: string; readonly tls?: { readonly key: string; readonly cert: string } } = {},
  ): Promise<FakeApiServer> {
    const fake = new FakeApiServer(options.node ?? "worker-1", options.tls);
    await fake.start();
    return fake;
  }

  get node(): FakeNode {
    return this.#node;
  }

  /** Requests that change something. */
  get writes(): readonly string[] {
    return this.requests.filter(({ method }) => method !== "GET").map(({ method, url }) => `${method} ${url}`);
  }

  /** Also while it is stopped. */
  get url(): URL {
    return new URL(`${this.#tls === undefined ? "http" : "https"}://127.0.0.1:${this.#port}`);
  }

  /** As somebody else's write would. */
  change(patch: unknown): void {
    const changed = mergePatch(this.#node, patch) as FakeNode;
    const capacity = Object.entries(changed.status.capacity).map(([name, quantity]) => [name, canonical(quantity)]);
    const metadata = { ...changed.metadata, resourceVersion: String(++this.#version) };
    this.#node = { ...changed, metadata, status: { ...changed.status, capacity: Object.fromEntries(capacity) } };
  }

  /** Listens, on the port that it had before if there was one. */
  async start(): Promise<void> {
    const serve = (request: IncomingMessage, response: ServerResponse) => void this.#serve(request, response);
    const server = this.#tls === undefined ? createServer(serve) : (createTlsServer(this.#tls, serve) as Server);
    await new Promise<void>((resolve) => server.listen(this.#port, "127.0.0.1", resolve));
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const body: unknown = text === "" ? undefined : JSON.parse(text);
    const { method = "", url = "" } = request;
    const token = (request.headers.authorization ?? "").replace(/^Bearer /, "");
    this.requests.push({ method, url, token, body });
    const path = url.split("?", 1)[0] as string;
    if (this.behaviour.hang === true) return;
    const refusal = this.behaviour.answer?.(method, path);
    if (refusal !== undefined) {
      const status = { kind: "Status", message: refusal.message ?? "no", code: refusal.status };
      response.writeHead(refusal.status, refusal.headers).end(refusal.body ?? JSON.stringify(status));
      return;
    }
    const query = new URLSearchParams(url.slice(path.length + 1));
    const contentType = request.headers["content-type"] ?? "";
    const stored = this.objects.answer({ method, path, query, contentType, body });
    const [status, answer] = stored ?? this.#answer(method, path, body);
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(answer));
  }

  #answer(method: string, path: string, body: unknown): readonly [number, unknown] {
    const node = `/api/v1/nodes/${this.#node.metadata.name}`;
    if (method === "GET" && path === node) return [200, this.#node];
    if (method === "PATCH" && path === `${node}/status`) {
      this.change(body);
      return [200, this.#node];
    }
    const events = /^\/api\/v1\/namespaces\/([^/]+)\/events(?:\/([^/]+))?$/.exec(path);
    if (events !== null && method === "POST") return this.#createEvent(body as FakeEvent);
    if (events !== null && method === "PATCH") {
      const event = this.events.get(events[2] as string);
      if (event === undefined) return [404, { kind: "Status", message: "no such event" }];
      const changed = mergePatch(event, body) as FakeEvent;
      this.events.set(changed.metadata.name, changed);
      return [200, changed];
    }
    return [404, { kind: "Status", message: `${path} not found` }];
  }

  #createEvent(event: FakeEvent): readonly [number, unknown] {
    if (this.events.has(event.metadata.name)) return [409, { kind: "Status", message: "already exists" }];
    this.events.set(event.metadata.name, event);
    return [201, event];
  }
}

/** Whole thousands lose their zeros, as in the API server's own form of quantities. */
function canonical(quantity: string): string {
  const suffixes = ["", "k", "M", "G", "T", "P", "E"];
  let power = 0;
  let digits = quantity;
  while (/^[1-9]\d*000$/.test(digits) && power < suffixes.length - 1) {
    digits = digits.slice(0, -3);
    power++;
  }
  return `${digits}${suffixes[power]}`;
}
