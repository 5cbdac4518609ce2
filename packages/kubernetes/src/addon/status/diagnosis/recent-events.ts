import type { EventFacts } from "../facts/cluster-facts.ts";
import type { ClusterSnapshot } from "../snapshot.ts";

/** Controllers try again every few minutes; what was not said again in this time has been solved, ms. */
const RECENT = 600_000;

const EVENT_LIMIT = 1000;

/** Warnings of the last ten minutes, one for each object, reason and message. */
export function recentEvents({ events, takenAt }: ClusterSnapshot): EventFacts[] {
  const seen = new Map<string, EventFacts>();
  for (const event of events) {
    if (event.last === undefined || takenAt - event.last > RECENT || seen.size >= EVENT_LIMIT) continue;
    seen.set(JSON.stringify([event.kind, event.namespace, event.name, event.reason]), event);
  }
  return [...seen.values()];
}
