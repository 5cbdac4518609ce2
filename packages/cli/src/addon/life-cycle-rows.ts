import type { AddonProfile, ObjectChange } from "@confcom/kubernetes/addon";
import type { TableRow } from "./addon-output.ts";

export function changeRows(changes: readonly ObjectChange[]): readonly TableRow[] {
  return changes.map(({ action, object }) => ({ action, object }));
}

export function countActions(changes: readonly ObjectChange[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { action } of changes) counts[action] = (counts[action] ?? 0) + 1;
  return counts;
}

/** As az's tables have it. */
export function configText(config: AddonProfile["config"]): string {
  return Object.entries(config ?? {})
    .map(([key, value]) => `${key}=${value};`)
    .join("");
}
