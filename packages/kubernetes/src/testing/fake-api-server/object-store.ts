import { FieldOwners, leavesOf, objectOf } from "./field-owners.ts";
import { mergePatch } from "./merge-patch.ts";

export interface FakeObject {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly resourceVersion: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly [member: string]: unknown;
}

interface Stored {
  readonly object: FakeObject;
  readonly owners: FieldOwners;
}

export interface StoreRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly contentType: string;
  readonly body: unknown;
}

type Answer = readonly [status: number, body: unknown];

/** Kinds that are kept: collection's last path part → kind. */
const KINDS: Readonly<Record<string, string>> = {
  secrets: "Secret",
  configmaps: "ConfigMap",
  mutatingwebhookconfigurations: "MutatingWebhookConfiguration",
};

/**
 * Secrets, ConfigMaps and webhook configurations: create, get, list, replace with resourceVersion, merge patch,
 * server-side apply with managers and conflicts, delete. Nothing is validated.
 */
export class ObjectStore {
  readonly #objects = new Map<string, Stored>();
  #version = 100;

  /** The object at a path such as `/api/v1/namespaces/n/secrets/s`. */
  get(path: string): FakeObject | undefined {
    return this.#objects.get(path)?.object;
  }

  owners(path: string): FieldOwners | undefined {
    return this.#objects.get(path)?.owners;
  }

  /** As somebody else's write would. */
  put(path: string, object: object, manager = "somebody"): FakeObject {
    const held = this.#objects.get(path);
    const owners = held?.owners ?? new FieldOwners();
    const name = path.slice(path.lastIndexOf("/") + 1);
    const { metadata = {} } = object as { metadata?: object };
    const kind = KINDS[path.split("/").at(-2) ?? ""] ?? "Unknown";
    const stored = {
      kind,
      ...object,
      metadata: { ...metadata, name, resourceVersion: String(++this.#version) },
    } as FakeObject;
    owners.update(manager, held === undefined ? new Map() : leavesOf(held.object), leavesOf(stored));
    this.#objects.set(path, { object: stored, owners });
    return stored;
  }

  remove(path: string): boolean {
    return this.#objects.delete(path);
  }

  /** Undefined for a path that is none of this store's. */
  answer({ method, path, query, contentType, body }: StoreRequest): Answer | undefined {
    const collection = KINDS[path.slice(path.lastIndexOf("/") + 1)] !== undefined;
    if (collection) {
      if (method === "POST") return this.#create(path, body as FakeObject);
      return [200, { kind: "List", items: this.#under(path) }];
    }
    if (KINDS[path.split("/").at(-2) ?? ""] === undefined) return undefined;
    const held = this.get(path);
    if (method === "PATCH" && contentType === "application/apply-patch+yaml") return this.#apply(path, query, body);
    if (held === undefined) return [404, { kind: "Status", message: `${path} not found` }];
    if (method === "GET") return [200, held];
    if (method === "DELETE") {
      this.remove(path);
      return [200, { kind: "Status", status: "Success" }];
    }
    if (method === "PATCH") return [200, this.put(path, mergePatch(held, body) as FakeObject, "patch")];
    const { resourceVersion } = (body as Partial<FakeObject>).metadata ?? {};
    if (resourceVersion !== undefined && resourceVersion !== held.metadata.resourceVersion) {
      return [409, { kind: "Status", reason: "Conflict", message: "the object has been modified" }];
    }
    return [200, this.put(path, body as FakeObject, "update")];
  }

  #create(collection: string, object: FakeObject): Answer {
    const path = `${collection}/${object.metadata.name}`;
    if (this.#objects.has(path)) return [409, { kind: "Status", reason: "AlreadyExists", message: "already exists" }];
    return [201, this.put(path, object, "create")];
  }

  #apply(path: string, query: URLSearchParams, body: unknown): Answer {
    const manager = query.get("fieldManager") ?? "unknown";
    const held = this.#objects.get(path);
    const { metadata, ...rest } = body as { metadata?: { resourceVersion?: string } };
    const before = held === undefined ? new Map<string, unknown>() : leavesOf(held.object);
    const wanted = leavesOf({ ...rest, metadata });
    const owners = held?.owners ?? new FieldOwners();
    const conflicts = owners.conflicts(manager, before, wanted);
    if (conflicts.length > 0 && query.get("force") !== "true") {
      return [409, { kind: "Status", reason: "Conflict", message: `conflicts with ${conflicts.join(", ")}` }];
    }
    const after = owners.apply(manager, before, wanted);
    const name = path.slice(path.lastIndexOf("/") + 1);
    const changed = objectOf(after) as { metadata?: object };
    const object = {
      ...changed,
      metadata: { ...changed.metadata, name, resourceVersion: String(++this.#version) },
    } as FakeObject;
    if (query.get("dryRun") !== "All") this.#objects.set(path, { object, owners });
    return [held === undefined ? 201 : 200, object];
  }

  #under(collection: string): readonly FakeObject[] {
    return [...this.#objects].filter(([path]) => path.startsWith(`${collection}/`)).map(([, { object }]) => object);
  }
}
