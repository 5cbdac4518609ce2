import { isDeepStrictEqual } from "node:util";
import { apiPath, referenceTo } from "../object-reference.ts";
import { type Leaves, leavesOf, mergedFields } from "./field-ownership.ts";

type Json = Record<string, unknown>;

export interface StoredObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly [field: string]: unknown };
  readonly [field: string]: unknown;
}

interface Entry {
  object: StoredObject;
  /** Manager → fields. */
  readonly owners: Map<string, Set<string>>;
}

export interface FakeAnswer {
  readonly status: number;
  readonly body: unknown;
}

/**
 * As much of an API server as the add-on's life cycle meets: server-side apply with owners of fields, conflicts and dry
 * runs, lists by label and field, preconditions, merge patches. Workloads are rolled out at once; their pods are not made.
 */
export class FakeCluster {
  readonly #entries = new Map<string, Entry>();
  #version = 100;
  minor = "34";
  /** Workloads stay as they are when they are applied. */
  stuck = false;
  /** Every call that wrote or tried to, in order. */
  readonly writes: string[] = [];
  /** Throws to let a call fail; counts as an interruption of the caller. */
  beforeWrite: (write: string, count: number) => void = () => undefined;

  constructor() {
    for (const name of ["default", "kube-system"])
      this.put({ apiVersion: "v1", kind: "Namespace", metadata: { name } });
  }

  /** An object that somebody else made. */
  put(object: StoredObject, manager = "kubectl"): void {
    const owners = new Map([[manager, new Set(leavesOf(object).keys())]]);
    this.#store(apiPath(referenceTo(object)), object, owners);
  }

  object(path: string): StoredObject | undefined {
    return this.#entries.get(path)?.object;
  }

  /** Paths of everything there is, in order. */
  paths(): string[] {
    return [...this.#entries.keys()].sort();
  }

  /** Everything there is, without what counts up by itself. */
  contents(): Readonly<Record<string, unknown>> {
    const stripped = this.paths().map((path) => {
      const {
        resourceVersion: _,
        uid: __,
        generation: ___,
        ...metadata
      } = (this.object(path) as StoredObject).metadata;
      return [path, { ...this.object(path), metadata, status: undefined }];
    });
    return Object.fromEntries(stripped);
  }

  call(method: string, url: string, body: unknown, contentType: string | undefined): FakeAnswer {
    const { pathname, searchParams } = new URL(url, "http://cluster");
    if (pathname === "/version") return ok({ major: "1", minor: this.minor });
    if (method === "GET") return this.#read(pathname, searchParams);
    const dryRun = searchParams.get("dryRun") === "All";
    if (!dryRun) {
      const write = `${method} ${pathname}`;
      this.beforeWrite(write, this.writes.length);
      this.writes.push(write);
    }
    if (method === "DELETE") return this.#delete(pathname, body as Json | undefined);
    if (contentType === "application/apply-patch+yaml") {
      const manager = searchParams.get("fieldManager") ?? "";
      return this.#apply(pathname, body as StoredObject, manager, searchParams.get("force") === "true", dryRun);
    }
    return this.#mergePatch(pathname, body as Json);
  }

  #read(path: string, query: URLSearchParams): FakeAnswer {
    const one = this.#entries.get(path);
    if (one !== undefined) return ok(shown(one));
    const [, root, resource] = /^(.*)\/([a-z]+)$/.exec(path) ?? [];
    if (root === undefined || resource === undefined || !this.#isCollection(path)) return notFound(path);
    const of = new RegExp(`^${root}(/namespaces/[^/]+)?/${resource}/[^/]+$`);
    const items = [...this.#entries].filter(([key, { object }]) => of.test(key) && selected(object, query));
    return ok({ metadata: {}, items: items.map(([, entry]) => shown(entry)) });
  }

  /** A path of an object has a name after the plural. */
  #isCollection(path: string): boolean {
    return /^\/(api\/v1|apis\/[^/]+\/[^/]+)(\/namespaces\/[^/]+)?\/[a-z]+$/.test(path);
  }

  #apply(path: string, given: StoredObject, manager: string, force: boolean, dryRun: boolean): FakeAnswer {
    const entry = this.#entries.get(path);
    const { namespace, resourceVersion } = given.metadata;
    if (namespace !== undefined && !this.#entries.has(`/api/v1/namespaces/${namespace}`)) return notFound(namespace);
    if (resourceVersion !== undefined && resourceVersion !== entry?.object.metadata.resourceVersion) {
      return failure(409, "the object has been modified", "Conflict");
    }
    const owners = new Map([...(entry?.owners ?? [])].map(([name, fields]) => [name, new Set(fields)]));
    const wanted = leavesOf(given);
    const conflicts = entry === undefined ? [] : conflictsOf(wanted, entry, owners, manager);
    if (conflicts.length > 0 && !force) return conflict(given, conflicts);
    for (const { field, manager: other } of conflicts) owners.get(other)?.delete(field);
    const mine = owners.get(manager) ?? new Set();
    const elsewhere = new Set([...owners].filter(([name]) => name !== manager).flatMap(([, fields]) => [...fields]));
    const dropped = new Set([...mine].filter((field) => !wanted.has(field) && !elsewhere.has(field)));
    owners.set(manager, new Set(wanted.keys()));
    const merged = mergedFields(entry?.object ?? {}, given, dropped) as StoredObject;
    const same = entry !== undefined && isDeepStrictEqual(leavesOf(entry.object), leavesOf(merged));
    const object = same ? (entry?.object as StoredObject) : merged;
    if (dryRun) return ok(shown({ object, owners }));
    return ok(shown(this.#store(path, object, owners, same)));
  }

  #store(path: string, given: StoredObject, owners: Map<string, Set<string>>, same = false): Entry {
    const before = this.#entries.get(path);
    const uid = before?.object.metadata.uid ?? `uid-${++this.#version}`;
    const resourceVersion = same ? before?.object.metadata.resourceVersion : String(++this.#version);
    const generation = ((before?.object.metadata.generation as number) ?? 0) + (same ? 0 : 1);
    const object: StoredObject = { ...given, metadata: { ...given.metadata, uid, resourceVersion, generation } };
    const status = this.stuck ? undefined : rolledOutStatus(object, generation);
    const entry = { object: status === undefined ? object : { ...object, status }, owners };
    this.#entries.set(path, entry);
    return entry;
  }

  #delete(path: string, options: Json | undefined): FakeAnswer {
    const entry = this.#entries.get(path);
    if (entry === undefined) return notFound(path);
    const uid = (options?.preconditions as Json | undefined)?.uid;
    if (uid !== undefined && uid !== entry.object.metadata.uid) return failure(409, "another uid", "Conflict");
    this.#entries.delete(path);
    const prefix = `${path}/`;
    const isNamespace = path.startsWith("/api/v1/namespaces/") && entry.object.kind === "Namespace";
    for (const key of this.#entries.keys()) {
      const inside = isNamespace && key.includes(`/namespaces/${entry.object.metadata.name}/`);
      const pod = key.startsWith("/api/v1/") && this.#isPodOf(key, entry.object);
      if (inside || pod || key.startsWith(prefix)) this.#entries.delete(key);
    }
    return ok({ kind: "Status", status: "Success" });
  }

  #isPodOf(key: string, { kind, metadata }: StoredObject): boolean {
    const object = this.object(key);
    const labels = object?.metadata.labels as Record<string, string> | undefined;
    return (kind === "DaemonSet" || kind === "Deployment") && object?.kind === "Pod" && labels?.app === metadata.name;
  }

  #mergePatch(pathname: string, patch: Json): FakeAnswer {
    const path = pathname.replace(/\/status$/, "");
    const entry = this.#entries.get(path);
    if (entry === undefined) return notFound(path);
    return ok(shown(this.#store(path, merged(entry.object, patch) as StoredObject, entry.owners)));
  }
}

function conflictsOf(wanted: Leaves, entry: Entry, owners: ReadonlyMap<string, ReadonlySet<string>>, manager: string) {
  const present = leavesOf(entry.object);
  return [...wanted].flatMap(([field, value]) => {
    if (isDeepStrictEqual(present.get(field), value)) return [];
    const others = [...owners].filter(([name, fields]) => name !== manager && fields.has(field));
    return others.map(([name]) => ({ field, manager: name }));
  });
}

function conflict(object: StoredObject, conflicts: readonly { field: string; manager: string }[]): FakeAnswer {
  const causes = conflicts.map(({ field, manager }) => ({
    reason: "FieldManagerConflict",
    message: `conflict with "${manager}" using ${object.apiVersion}`,
    field,
  }));
  const body = failure(409, `Apply failed with ${causes.length} conflicts`, "Conflict").body as Json;
  return { status: 409, body: { ...body, details: { name: object.metadata.name, causes } } };
}

function shown({ object, owners }: Entry): unknown {
  const managedFields = [...owners]
    .filter(([, fields]) => fields.size > 0)
    .map(([manager]) => ({ manager, operation: manager === "kubectl" ? "Update" : "Apply" }));
  return { ...object, metadata: { ...object.metadata, managedFields } };
}

function selected(object: StoredObject, query: URLSearchParams): boolean {
  const labels = (object.metadata.labels ?? {}) as Record<string, string>;
  const label = query.get("labelSelector")?.split("=") ?? [];
  if (label.length === 2 && labels[label[0] as string] !== label[1]) return false;
  return (query.get("fieldSelector") ?? "").split(",").every((term) => {
    const [, path, operator, value] = /^([^!=]+)(!?=)(.*)$/.exec(term) ?? [];
    if (path === undefined) return true;
    const found = path.split(".").reduce<unknown>((within, key) => (within as Json | undefined)?.[key], object) ?? "";
    return (found === value) === (operator === "=");
  });
}

function rolledOutStatus({ kind, spec }: StoredObject, observedGeneration: number): object | undefined {
  if (kind === "DaemonSet") {
    return { observedGeneration, desiredNumberScheduled: 1, updatedNumberScheduled: 1, numberAvailable: 1 };
  }
  if (kind !== "Deployment") return undefined;
  const { replicas = 1 } = spec as { replicas?: number };
  return { observedGeneration, replicas, updatedReplicas: replicas, availableReplicas: replicas };
}

function merged(value: unknown, patch: unknown): unknown {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
  const result: Json = { ...(typeof value === "object" && value !== null ? value : {}) };
  for (const [key, one] of Object.entries(patch)) {
    if (one === null) delete result[key];
    else result[key] = merged(result[key], one);
  }
  return result;
}

const ok = (body: unknown): FakeAnswer => ({ status: 200, body });
const failure = (code: number, message: string, reason: string): FakeAnswer => ({
  status: code,
  body: { kind: "Status", status: "Failure", code, reason, message },
});
const notFound = (what: string) => failure(404, `${what} not found`, "NotFound");
