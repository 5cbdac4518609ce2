import { isDeepStrictEqual } from "node:util";
import { KubernetesError } from "../../errors.ts";
import type { KubernetesObject } from "../../manifests/kubernetes-object.ts";
import { ApplyConflict } from "../access/apply-conflict.ts";
import { boundedConcurrency } from "../bounded-concurrency.ts";
import type { ClusterAccess, ClusterObject } from "../cluster-access.ts";
import { describeReference, referenceTo } from "../object-reference.ts";
import {
  CONFIG_MAPS,
  DAEMON_SETS,
  DEPLOYMENTS,
  NAMESPACES,
  PERSISTENT_VOLUME_CLAIMS,
  SECRETS,
} from "../resource-kinds.ts";
import type { ObjectChange } from "./life-cycle-options.ts";
import { isOurs } from "./owned-objects.ts";

/** Calls at once while nothing is written. */
const PARALLEL = 6;

/**
 * What applying these objects would change, asked of the API server, which writes nothing. Throws KubernetesError
 * `ADDON_CONFLICT` with fields that somebody else holds and objects that another installation made (five of them, and the
 * number of the others), `ADDON_NAMESPACE_MISSING`, and ApiError for what the server refuses.
 */
export async function rehearse(
  access: ClusterAccess,
  objects: readonly KubernetesObject[],
  force: boolean,
): Promise<readonly ObjectChange[]> {
  const missing = await missingNamespaces(access, objects);
  const conflicts: string[] = [];
  const changes = await boundedConcurrency(objects, PARALLEL, async (object): Promise<ObjectChange> => {
    const of = referenceTo(object);
    const name = describeReference(of);
    // In a namespace that is only about to be made nothing is yet, and the server would say no more than that.
    if (of.namespace !== undefined && missing.has(of.namespace)) return { object: name, action: "created" };
    const before = await access.get(of);
    try {
      const after = await access.apply(object, { force, dryRun: true });
      if (before !== undefined && !force && !isOurs(before) && !SHARED_KINDS.includes(object.kind)) {
        conflicts.push(`${name} (made by ${managersOf(before)})`);
      }
      return { object: name, action: actionOf(before, after) };
    } catch (error) {
      if (!(error instanceof ApplyConflict)) throw error;
      conflicts.push(...conflictTexts(object, error));
      return { object: name, action: "changed" };
    }
  });
  if (conflicts.length > 0) throw conflictError(conflicts);
  return changes;
}

/** Applies the objects in their order. Throws as {@link rehearse} does. */
export async function applyObjects(
  access: ClusterAccess,
  objects: readonly KubernetesObject[],
  force: boolean,
): Promise<void> {
  for (const object of objects) {
    try {
      await access.apply(object, { force });
    } catch (error) {
      if (!(error instanceof ApplyConflict)) throw error;
      throw conflictError(conflictTexts(object, error));
    }
  }
}

/** May be there before the add-on, and hold what is worth keeping. */
const SHARED_KINDS: readonly string[] = [NAMESPACES, CONFIG_MAPS, SECRETS, PERSISTENT_VOLUME_CLAIMS].map(
  ({ kind }) => kind,
);

function managersOf({ metadata }: ClusterObject): string {
  return (
    [...new Set((metadata.managedFields ?? []).map(({ manager }) => manager ?? "?"))].join(", ") || "somebody else"
  );
}

function conflictTexts(object: KubernetesObject, { conflicts }: ApplyConflict): readonly string[] {
  const name = describeReference(referenceTo(object));
  return conflicts.map(({ field, manager }) => `${name} ${field} (held by ${manager})`);
}

/** More conflicts are counted: whoever has a whole other installation needs its name, not forty lines. */
const TOLD_CONFLICTS = 5;

function conflictError(conflicts: readonly string[]): KubernetesError {
  // The rehearsal ends in any order, and people know the add-on by its workloads.
  const sorted = [...conflicts].sort((a, b) => Number(isWorkload(b)) - Number(isWorkload(a)) || (a < b ? -1 : 1));
  const more = sorted.length - TOLD_CONFLICTS;
  const told = [...sorted.slice(0, TOLD_CONFLICTS), ...(more > 0 ? [`and ${more} more`] : [])];
  return new KubernetesError("ADDON_CONFLICT", `other managers hold what the add-on sets: ${told.join("; ")}`);
}

function isWorkload(conflict: string): boolean {
  return [DAEMON_SETS, DEPLOYMENTS].some(({ kind }) => conflict.startsWith(`${kind} `));
}

/** Namespaces that the objects themselves make. Throws for one that nobody makes. */
async function missingNamespaces(
  access: ClusterAccess,
  objects: readonly KubernetesObject[],
): Promise<ReadonlySet<string>> {
  const made = new Set(objects.filter(({ kind }) => kind === NAMESPACES.kind).map(({ metadata }) => metadata.name));
  const used = new Set(objects.flatMap(({ metadata }) => metadata.namespace ?? []));
  const missing = new Set<string>();
  for (const name of used) {
    if ((await access.get({ ...NAMESPACES, name })) !== undefined) continue;
    if (!made.has(name)) throw new KubernetesError("ADDON_NAMESPACE_MISSING", `the cluster has no namespace ${name}`);
    missing.add(name);
  }
  return missing;
}

function actionOf(before: ClusterObject | undefined, after: ClusterObject): ObjectChange["action"] {
  if (before === undefined) return "created";
  return isDeepStrictEqual(meaningOf(before), meaningOf(after)) ? "unchanged" : "changed";
}

/** Without what the API server counts and notes by itself. */
function meaningOf(object: ClusterObject): unknown {
  const { managedFields: _, resourceVersion: __, generation: ___, ...metadata } = object.metadata;
  const { status: ____, ...rest } = object;
  return { ...rest, metadata };
}
