import { boundedConcurrency } from "../bounded-concurrency.ts";
import { type StatusAccess, statusOfFailure } from "./access.ts";
import type { EventFacts } from "./facts/cluster-facts.ts";

/** Who makes pods and is told in an event that it may not, and where it is. */
const COLLECTIONS: Readonly<Record<string, readonly [group: string, plural: string]>> = {
  DaemonSet: ["/apis/apps/v1", "daemonsets"],
  Job: ["/apis/batch/v1", "jobs"],
  ReplicaSet: ["/apis/apps/v1", "replicasets"],
  StatefulSet: ["/apis/apps/v1", "statefulsets"],
};

/** Objects that are looked for; of more the events are believed. */
const OBJECT_LIMIT = 200;
const READINGS_AT_ONCE = 16;
const BOUNDS = { timeoutMs: 5_000, sizeLimit: 4 << 20 };

/**
 * The events without those about pods that could not be made for an object that has been deleted since: an event outlives
 * what it is about by an hour. What cannot be read is taken to be there.
 */
export async function eventsOfLiving(
  access: StatusAccess,
  events: readonly EventFacts[],
  signal?: AbortSignal,
): Promise<readonly EventFacts[]> {
  const paths = [...new Set(events.flatMap((event) => ownerPath(event) ?? []))].slice(0, OBJECT_LIMIT);
  const bounds = { ...BOUNDS, ...(signal === undefined ? {} : { signal }) };
  const found = await boundedConcurrency(paths, READINGS_AT_ONCE, (path) =>
    access.read(path, bounds).then(
      () => true,
      (error: unknown) => statusOfFailure(error) !== 404,
    ),
  );
  const gone = new Set(paths.filter((_, index) => !found[index]));
  return events.filter((event) => !gone.has(ownerPath(event) ?? ""));
}

function ownerPath({ kind, namespace, name, reason }: EventFacts): string | undefined {
  const collection = Object.hasOwn(COLLECTIONS, kind) ? COLLECTIONS[kind] : undefined;
  if (collection === undefined || reason !== "FailedCreate") return undefined;
  const [group, plural] = collection;
  return `${group}/namespaces/${encodeURIComponent(namespace)}/${plural}/${encodeURIComponent(name)}`;
}
