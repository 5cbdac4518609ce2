import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { messageOf } from "../errors.ts";
import { ApiError, apiErrorOf } from "./api-error.ts";
import { type BoundedResponse, boundedRequest } from "./bounded-request.ts";

/** What the projected volume of the pod holds at this moment: the kubelet replaces the token long before it ends. */
export interface ApiCredentials {
  readonly token: string;
  /** The cluster's CA certificates, PEM. */
  readonly ca: string;
}

export interface ApiClientOptions {
  /** `https://host:port`; plain http only to this machine, where it can be overheard by nobody. */
  readonly server: URL;
  /** Asked before every call. */
  readonly credentials: () => Promise<ApiCredentials>;
  readonly userAgent: string;
  readonly timeoutMs?: number;
}

export interface ApplyOptions {
  readonly force?: boolean;
  /** The server checks and defaults, and nothing is written. */
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
}

type Method = "GET" | "POST" | "PATCH" | "PUT" | "DELETE";

/** A node with many images and volumes is some 100 kB. */
const RESPONSE_LIMIT = 8 << 20;

const DEFAULT_TIMEOUT = 10_000;

/** As much of the Kubernetes API as a daemon needs, in a fraction of the memory of a full client. Throws ApiError. */
export class ApiClient {
  readonly #options: ApiClientOptions;
  readonly #http = new HttpAgent({ keepAlive: true, maxSockets: 2, timeout: 60_000 });
  #https: { readonly ca: string; readonly agent: HttpsAgent } | undefined;

  constructor(options: ApiClientOptions) {
    this.#options = options;
  }

  get(path: string, signal?: AbortSignal): Promise<unknown> {
    return this.#call("GET", path, undefined, signal);
  }

  create(path: string, body: unknown, signal?: AbortSignal): Promise<unknown> {
    return this.#call("POST", path, { type: "application/json", body }, signal);
  }

  /** JSON merge patch: `null` takes a field away; the server applies it to whatever is there. */
  mergePatch(path: string, body: unknown, signal?: AbortSignal): Promise<unknown> {
    return this.#call("PATCH", path, { type: "application/merge-patch+json", body }, signal);
  }

  /**
   * Server-side apply: the fields of `body` become those of `fieldManager`, others stay whose they are. A field that
   * another manager holds is a conflict (`API_SERVER_REFUSED`, status 409) unless `force`.
   */
  apply(path: string, body: unknown, fieldManager: string, options: ApplyOptions = {}): Promise<unknown> {
    const query = new URLSearchParams({ fieldManager, force: String(options.force ?? false) });
    if (options.dryRun) query.set("dryRun", "All");
    return this.#call("PATCH", `${path}?${query}`, { type: "application/apply-patch+yaml", body }, options.signal);
  }

  /** Replaces an object; with its `resourceVersion` only if nobody has changed it since. */
  replace(path: string, body: unknown, signal?: AbortSignal): Promise<unknown> {
    return this.#call("PUT", path, { type: "application/json", body }, signal);
  }

  delete(path: string, signal?: AbortSignal): Promise<unknown> {
    return this.#call("DELETE", path, undefined, signal);
  }

  close(): void {
    this.#http.destroy();
    this.#https?.agent.destroy();
  }

  async #call(
    method: Method,
    path: string,
    content: { type: string; body: unknown } | undefined,
    signal: AbortSignal | undefined,
  ): Promise<unknown> {
    const what = `${method} ${path}`;
    const credentials = await this.#credentials(what);
    const { status, headers, body } = await this.#send(method, path, content, credentials, signal, what);
    const value = decode(body);
    if (status < 200 || status > 299) throw apiErrorOf(status, what, value, headers["retry-after"]);
    return value;
  }

  async #credentials(what: string): Promise<ApiCredentials> {
    try {
      return await this.#options.credentials();
    } catch (cause) {
      throw new ApiError("API_CREDENTIALS_UNREADABLE", `${what} was not sent: ${messageOf(cause)}`, { cause });
    }
  }

  async #send(
    method: Method,
    path: string,
    content: { type: string; body: unknown } | undefined,
    { token, ca }: ApiCredentials,
    signal: AbortSignal | undefined,
    what: string,
  ): Promise<BoundedResponse> {
    try {
      return await boundedRequest({
        url: new URL(path, this.#options.server),
        method,
        agent: this.#agent(ca),
        timeoutMs: this.#options.timeoutMs ?? DEFAULT_TIMEOUT,
        sizeLimit: RESPONSE_LIMIT,
        headers: {
          accept: "application/json",
          authorization: `Bearer ${token}`,
          "user-agent": this.#options.userAgent,
          ...(content === undefined ? {} : { "content-type": content.type }),
        },
        ...(content === undefined ? {} : { body: JSON.stringify(content.body) }),
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (cause) {
      throw new ApiError("API_SERVER_UNREACHABLE", `${what} at ${this.#options.server.host}: ${messageOf(cause)}`, {
        cause,
      });
    }
  }

  /** A new CA bundle means new connections: the old ones were trusted by the old one. */
  #agent(ca: string): HttpAgent {
    if (this.#options.server.protocol !== "https:") return this.#http;
    if (this.#https?.ca !== ca) {
      this.#https?.agent.destroy();
      this.#https = { ca, agent: new HttpsAgent({ keepAlive: true, maxSockets: 2, timeout: 60_000, ca }) };
    }
    return this.#https.agent;
  }
}

function decode(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch {
    return undefined;
  }
}
