import { ApiError, apiErrorOf } from "../../api/api-error.ts";
import type { KubernetesObject } from "../../manifests/kubernetes-object.ts";
import type { ApplyOptions, ClusterAccess, ClusterObject, DeleteOptions, ListFilter } from "../cluster-access.ts";
import { apiPath, type ObjectReference, referenceTo } from "../object-reference.ts";
import { FIELD_MANAGER } from "../profile.ts";
import type { ResourceKind } from "../resource-kinds.ts";
import { ApplyConflict, conflictsIn } from "./apply-conflict.ts";

export type HttpMethod = "GET" | "PATCH" | "DELETE";

export interface HttpAnswer {
  readonly status: number;
  /** The decoded body; undefined where it is no JSON. */
  readonly body: unknown;
  readonly retryAfter?: string | undefined;
}

/** What one call may cost, where it is less than usual. Time in ms, size of the answer in bytes. */
export interface CallBounds {
  readonly timeoutMs?: number;
  readonly sizeLimit?: number;
  readonly signal?: AbortSignal;
}

/** One authenticated call of the API server. Rejects with ApiError where there was no answer. */
export interface ApiConnection {
  call(
    method: HttpMethod,
    path: string,
    content?: { readonly type: string; readonly body: unknown },
    bounds?: CallBounds,
  ): Promise<HttpAnswer>;
}

/** Objects of a page: a pod is at most some 100 kB, and an answer is bounded. */
const PAGE = 200;

/** Pages of one list: 200,000 objects. */
const MAX_PAGES = 1000;

/** The Kubernetes API over any connection. */
export class HttpClusterAccess implements ClusterAccess {
  readonly #connection: ApiConnection;

  constructor(connection: ApiConnection) {
    this.#connection = connection;
  }

  async version(): Promise<readonly [number, number]> {
    const { major, minor } = (await this.#ok("GET", "/version")) as { major?: unknown; minor?: unknown };
    // Some providers write the minor version as "34+".
    return [Number.parseInt(String(major), 10), Number.parseInt(String(minor), 10)];
  }

  async get(of: ObjectReference): Promise<ClusterObject | undefined> {
    const path = apiPath(of);
    const answer = await this.#connection.call("GET", path);
    if (answer.status === 404) return undefined;
    return objectIn(`GET ${path}`, checked(`GET ${path}`, answer));
  }

  async list(kind: ResourceKind, filter: ListFilter = {}): Promise<readonly ClusterObject[]> {
    const { namespace, ...selectors } = filter;
    const path = apiPath({ ...kind, ...(namespace === undefined ? {} : { namespace }) });
    const found: ClusterObject[] = [];
    let next = "";
    for (let page = 0; page < MAX_PAGES; page++) {
      const query = new URLSearchParams({
        limit: String(PAGE),
        ...selectors,
        ...(next === "" ? {} : { continue: next }),
      });
      const what = `GET ${path}`;
      const answer = await this.#connection.call("GET", `${path}?${query}`);
      if (answer.status === 404) return [];
      const { items, metadata } = checked(what, answer) as { items?: unknown; metadata?: { continue?: unknown } };
      if (!Array.isArray(items)) throw malformed(what);
      // Items of a list do not say what they are.
      for (const item of items) found.push(objectIn(what, { ...item, apiVersion: kind.apiVersion, kind: kind.kind }));
      if (typeof metadata?.continue !== "string" || metadata.continue === "") return found;
      next = metadata.continue;
    }
    throw malformed(`GET ${path}`);
  }

  async apply(object: KubernetesObject, options: ApplyOptions = {}): Promise<ClusterObject> {
    const path = apiPath(referenceTo(object));
    const query = new URLSearchParams({ fieldManager: FIELD_MANAGER, force: String(options.force ?? false) });
    if (options.dryRun) query.set("dryRun", "All");
    const content = { type: "application/apply-patch+yaml", body: object };
    const answer = await this.#connection.call("PATCH", `${path}?${query}`, content);
    const what = `applying ${path}`;
    if (answer.status === 409) {
      const conflicts = conflictsIn(answer.body);
      if (conflicts.length > 0) throw new ApplyConflict(`${what}: fields are held by somebody else`, conflicts);
    }
    return objectIn(what, checked(what, answer));
  }

  async delete(of: ObjectReference, options: DeleteOptions = {}): Promise<boolean> {
    const path = apiPath(of);
    const body = {
      apiVersion: "v1",
      kind: "DeleteOptions",
      propagationPolicy: "Background",
      ...(options.uid === undefined ? {} : { preconditions: { uid: options.uid } }),
    };
    const answer = await this.#connection.call("DELETE", path, { type: "application/json", body });
    // 409: another object has the name by now.
    if (answer.status === 404 || (answer.status === 409 && options.uid !== undefined)) return false;
    checked(`DELETE ${path}`, answer);
    return true;
  }

  async mergePatch(of: ObjectReference, body: object, subresource?: "status"): Promise<void> {
    const path = `${apiPath(of)}${subresource === undefined ? "" : `/${subresource}`}`;
    await this.#ok("PATCH", path, { type: "application/merge-patch+json", body });
  }

  async #ok(method: HttpMethod, path: string, content?: { type: string; body: unknown }): Promise<object> {
    return checked(`${method} ${path}`, await this.#connection.call(method, path, content));
  }
}

function checked(what: string, { status, body, retryAfter }: HttpAnswer): object {
  if (status < 200 || status > 299) throw apiErrorOf(status, what, body, retryAfter);
  // A login page of a proxy, for instance.
  if (typeof body !== "object" || body === null) throw malformed(what);
  return body;
}

function objectIn(what: string, value: unknown): ClusterObject {
  const { metadata } = (value ?? {}) as { metadata?: { name?: unknown } | null };
  if (typeof metadata?.name !== "string") throw malformed(what);
  return value as ClusterObject;
}

const malformed = (what: string) =>
  new ApiError("API_SERVER_UNREACHABLE", `${what}: what answers is no API server`, { status: 200 });
