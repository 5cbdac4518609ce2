import { request } from "node:http";
import type { ClusterEvent, DaemonSet, Job, Node, Pod } from "./kubernetes-objects.ts";

export interface ApiAnswer {
  readonly status: number;
  readonly body: string;
}

/** Milliseconds for one request. */
const LIMIT = 10_000;

const COLLECTIONS: Readonly<Record<string, readonly [group: string, plural: string]>> = {
  Pod: ["/api/v1", "pods"],
  ConfigMap: ["/api/v1", "configmaps"],
  Job: ["/apis/batch/v1", "jobs"],
  ReplicaSet: ["/apis/apps/v1", "replicasets"],
};

/**
 * The API server as an administrator, over the Unix socket of `kubectl proxy`: looking five times a second costs
 * nothing, where each `kubectl` would cost a tenth of a second of the machine that the cluster runs on.
 */
export class ApiClient {
  readonly #socketPath: string;

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  send(
    method: string,
    path: string,
    options: { body?: unknown; contentType?: string; headers?: Record<string, string>; limit?: number } = {},
  ): Promise<ApiAnswer> {
    const limit = options.limit ?? LIMIT;
    return new Promise((resolve, reject) => {
      const payload = options.body === undefined ? undefined : JSON.stringify(options.body);
      const call = request(
        {
          socketPath: this.#socketPath,
          method,
          path,
          agent: false,
          signal: AbortSignal.timeout(limit),
          headers: {
            ...(payload === undefined
              ? {}
              : {
                  "content-type": options.contentType ?? "application/json",
                  "content-length": Buffer.byteLength(payload),
                }),
            ...options.headers,
          },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("error", reject);
          response.on("end", () =>
            resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") }),
          );
        },
      );
      call.on("error", (error) => reject(new Error(`${method} ${path}: ${error.message}`)));
      call.end(payload);
    });
  }

  /** A successful answer, parsed. */
  async ask<T>(method: string, path: string, options: Parameters<ApiClient["send"]>[2] = {}): Promise<T> {
    const { status, body } = await this.send(method, path, options);
    if (status < 200 || status > 299) throw new Error(`${method} ${path}: ${status}: ${body.slice(0, 300)}`);
    return JSON.parse(body) as T;
  }

  get<T>(path: string): Promise<T> {
    return this.ask<T>("GET", path);
  }

  async list<T>(path: string): Promise<readonly T[]> {
    return (await this.get<{ items: readonly T[] }>(path)).items;
  }

  node(name: string): Promise<Node> {
    return this.get<Node>(`/api/v1/nodes/${name}`);
  }

  nodes(): Promise<readonly Node[]> {
    return this.list<Node>("/api/v1/nodes");
  }

  pod(namespace: string, name: string): Promise<Pod> {
    return this.get<Pod>(`/api/v1/namespaces/${namespace}/pods/${name}`);
  }

  /** Pods by label selector; of every namespace unless one is given. */
  pods(selector: string, namespace?: string): Promise<readonly Pod[]> {
    const scope = namespace === undefined ? "" : `/namespaces/${namespace}`;
    return this.list<Pod>(`/api/v1${scope}/pods?labelSelector=${encodeURIComponent(selector)}`);
  }

  daemonSet(namespace: string, name: string): Promise<DaemonSet> {
    return this.get<DaemonSet>(`/apis/apps/v1/namespaces/${namespace}/daemonsets/${name}`);
  }

  job(namespace: string, name: string): Promise<Job> {
    return this.get<Job>(`/apis/batch/v1/namespaces/${namespace}/jobs/${name}`);
  }

  events(fieldSelector = ""): Promise<readonly ClusterEvent[]> {
    return this.list<ClusterEvent>(`/api/v1/events?fieldSelector=${encodeURIComponent(fieldSelector)}`);
  }

  async log(namespace: string, pod: string, container?: string, query = ""): Promise<string> {
    const which = container === undefined ? "" : `&container=${container}`;
    const path = `/api/v1/namespaces/${namespace}/pods/${pod}/log?${query}${which}`;
    const { status, body } = await this.send("GET", path);
    if (status !== 200) throw new Error(`GET ${path}: ${status}: ${body.slice(0, 200)}`);
    return body;
  }

  /** What a pod answers on a port, through the API server: as an operator looks at `/status`. */
  async ofPod<T>(namespace: string, pod: string, port: number, path: string): Promise<T> {
    return this.get<T>(`/api/v1/namespaces/${namespace}/pods/${pod}:${port}/proxy${path}`);
  }

  /** Creates an object of a kind that the checks use. */
  async create(object: object): Promise<void> {
    const { kind, metadata } = object as { kind: string; metadata: { namespace: string } };
    const collection = COLLECTIONS[kind];
    if (collection === undefined) throw new Error(`no path known for ${kind}`);
    const [group, plural] = collection;
    await this.ask("POST", `${group}/namespaces/${metadata.namespace}/${plural}`, { body: object });
  }

  async delete(path: string, graceSeconds?: number): Promise<void> {
    const query = graceSeconds === undefined ? "" : `?gracePeriodSeconds=${graceSeconds}`;
    const { status, body } = await this.send(
      "DELETE",
      path.includes("?") ? `${path}${query.replace("?", "&")}` : `${path}${query}`,
    );
    if (status !== 200 && status !== 202 && status !== 404)
      throw new Error(`DELETE ${path}: ${status}: ${body.slice(0, 300)}`);
  }

  deletePod(namespace: string, name: string, graceSeconds?: number): Promise<void> {
    return this.delete(`/api/v1/namespaces/${namespace}/pods/${name}`, graceSeconds);
  }

  /** Strategic merge, as `kubectl patch` does. */
  patch(path: string, body: unknown, contentType = "application/strategic-merge-patch+json"): Promise<unknown> {
    return this.ask("PATCH", path, { body, contentType });
  }
}
