import {
  CAPABLE_LABEL,
  COUNTER_RESOURCES,
  COUNTERS_ANNOTATION,
  DRIVER_LABEL,
  EPC_LABEL,
  type OWN_LABELS,
} from "../names.ts";
import { sameQuantity } from "../quantity.ts";
import type { PluginStatus } from "../status/plugin-status.ts";
import type { NodeView } from "./node-view.ts";

/** What a node is to show, as far as it is ours. */
export interface WantedNode {
  /** Every label of ours; null: it is not to be there. */
  readonly labels: Readonly<Record<(typeof OWN_LABELS)[number], string | null>>;
  /** Resource name → whole number. */
  readonly counters: Readonly<Record<string, string>>;
  /** Resources that a device plugin serves: their numbers in the node's status are the kubelet's. */
  readonly served: readonly string[];
}

/** JSON merge patch of `nodes/status`; null takes a key away. */
export interface NodePatch {
  readonly metadata?: {
    readonly labels?: Readonly<Record<string, string | null>>;
    readonly annotations?: Readonly<Record<string, string | null>>;
  };
  readonly status?: { readonly capacity: Readonly<Record<string, string | null>> };
}

/** Lower-case letters, digits and dashes: what a label value may hold and a driver's name needs. */
const LABEL_VALUE = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;

/**
 * What the node is to show by this status; undefined where the status says nothing about the node: the plugin has not
 * looked yet, or has left the node to a newer one, whose own companion writes.
 */
export function wantedNode(status: PluginStatus): WantedNode | undefined {
  if (status.state === "starting" || status.state === "standby") return undefined;
  const { capable, devices, epc } = status.sgx;
  const driver = devices.generation ?? "";
  const counters = status.counters.filter(({ name }) => isCounterResource(name));
  return {
    labels: {
      [CAPABLE_LABEL]: capable ? "true" : null,
      [EPC_LABEL]: capable ? String(epc.totalMiB) : null,
      [DRIVER_LABEL]: capable && LABEL_VALUE.test(driver) ? driver : null,
    },
    counters: Object.fromEntries(counters.map(({ name, quantity }) => [name, quantity])),
    served: status.resources.map(({ name }) => name),
  };
}

/**
 * The difference between what the node shows and what it is to show, without the capacity names in `notNow`; undefined
 * where there is none. Counters that were not written by us are overwritten where we have one of that name, never removed.
 */
export function nodePatch(
  node: NodeView,
  wanted: WantedNode,
  notNow: ReadonlySet<string> = new Set(),
): NodePatch | undefined {
  const labels = differing(node.labels, wanted.labels, (a, b) => a === b);
  const written = writtenCounters(node);
  const capacity = differing(node.capacity, wantedCapacity(wanted, written, notNow), sameQuantity);
  const annotations = differing(node.annotations, countersAnnotation(wanted, written, notNow), (a, b) => a === b);
  if (labels === undefined && capacity === undefined && annotations === undefined) return undefined;
  return {
    ...(labels === undefined && annotations === undefined
      ? {}
      : { metadata: { ...(labels === undefined ? {} : { labels }), ...(annotations && { annotations }) } }),
    ...(capacity === undefined ? {} : { status: { capacity } }),
  };
}

/** The counters that an earlier patch of ours noted on the node: only names that can be ours at all. */
function writtenCounters(node: NodeView): string[] {
  return (node.annotations[COUNTERS_ANNOTATION] ?? "").split(",").filter(isCounterResource);
}

function wantedCapacity(wanted: WantedNode, written: readonly string[], notNow: ReadonlySet<string>) {
  // A number of zero would make a restarted kubelet refuse pods that run already; a missing one does not.
  const stale = written.filter((name) => !Object.hasOwn(wanted.counters, name) && !wanted.served.includes(name));
  const entries: [string, string | null][] = [...stale.map((name): [string, null] => [name, null])];
  entries.push(...Object.entries(wanted.counters));
  return Object.fromEntries(entries.filter(([name]) => !notNow.has(name)));
}

/** A counter is noted in the patch that first writes it, and forgotten in the one that removes it. */
function countersAnnotation(wanted: WantedNode, written: readonly string[], notNow: ReadonlySet<string>) {
  const kept = Object.keys(wanted.counters).filter((name) => !notNow.has(name) || written.includes(name));
  const waiting = written.filter((name) => notNow.has(name) && !wanted.served.includes(name));
  const names = [...new Set([...kept, ...waiting])].sort();
  return { [COUNTERS_ANNOTATION]: names.length === 0 ? null : names.join(",") };
}

function isCounterResource(name: string): boolean {
  return COUNTER_RESOURCES.some((counter) => counter === name);
}

function differing(
  present: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, string | null>>,
  same: (a: string, b: string) => boolean,
): Record<string, string | null> | undefined {
  const entries = Object.entries(wanted).filter(([key, value]) => {
    const shown = Object.hasOwn(present, key) ? present[key] : undefined;
    return value === null ? shown !== undefined : shown === undefined || !same(shown, value);
  });
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}
