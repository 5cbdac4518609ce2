import { COUNTER_RESOURCES, COUNTERS_ANNOTATION, OWN_LABELS, OWN_RESOURCES, QUOTE_RESOURCE } from "../../names.ts";
import type { ClusterObject } from "../cluster-access.ts";

type Taken = Readonly<Record<string, null>>;

/** Merge patch of a node's status that takes away what the add-on left there. */
export interface TracePatch {
  readonly metadata?: { readonly labels?: Taken; readonly annotations?: Taken };
  readonly status?: { readonly capacity: Taken; readonly allocatable: Taken };
}

export interface NodeTraces {
  readonly node: string;
  /** What can be taken away now; undefined: nothing. */
  readonly patch: TracePatch | undefined;
  /**
   * Device resources that the kubelet still shows. It keeps the size of a plugin that went away for five minutes, then
   * writes 0 once: until then whatever is taken away comes back (spec: Kubernetes §1.3).
   */
  readonly kept: readonly string[];
}

/**
 * What of ours a node shows whose plugin is gone: labels, the annotation, the counters that it names, device resources. A
 * resource of a name that other vendors use too counts as ours only on a node that shows some sign that is ours alone.
 */
export function nodeTraces(node: ClusterObject, knownAsOurs: boolean): NodeTraces {
  const { labels = {}, annotations = {} } = node.metadata;
  const status = (node.status ?? {}) as { capacity?: Record<string, string>; allocatable?: Record<string, string> };
  const capacity = status.capacity ?? {};
  const ourLabels = OWN_LABELS.filter((label) => Object.hasOwn(labels, label));
  const counters = (annotations[COUNTERS_ANNOTATION] ?? "")
    .split(",")
    .filter((name) => COUNTER_RESOURCES.some((counter) => counter === name));
  const devices =
    knownAsOurs || bearsOurSign(node)
      ? OWN_RESOURCES.filter((name) => Object.hasOwn(capacity, name) && !counters.includes(name))
      : [];
  const ended = devices.filter((name) => Number(capacity[name]) === 0);
  const gone = [...counters, ...ended].filter((name) => shows(status, name));
  const annotated = Object.hasOwn(annotations, COUNTERS_ANNOTATION);
  const metadata = {
    ...(ourLabels.length === 0 ? {} : { labels: taken(ourLabels) }),
    ...(annotated ? { annotations: taken([COUNTERS_ANNOTATION]) } : {}),
  };
  const patch = {
    ...(Object.keys(metadata).length === 0 ? {} : { metadata }),
    ...(gone.length === 0 ? {} : { status: { capacity: taken(gone), allocatable: taken(gone) } }),
  };
  return {
    node: node.metadata.name,
    patch: Object.keys(patch).length === 0 ? undefined : patch,
    kept: devices.filter((name) => !ended.includes(name)),
  };
}

/** Whether the node shows what nobody else writes. */
export function bearsOurSign(node: ClusterObject): boolean {
  const { labels = {}, annotations = {} } = node.metadata;
  const { capacity = {} } = (node.status ?? {}) as { capacity?: Record<string, string> };
  return (
    OWN_LABELS.some((label) => Object.hasOwn(labels, label)) ||
    Object.hasOwn(annotations, COUNTERS_ANNOTATION) ||
    Object.hasOwn(capacity, QUOTE_RESOURCE)
  );
}

const taken = (names: readonly string[]): Taken => Object.fromEntries(names.map((name) => [name, null]));

function shows(status: { capacity?: object; allocatable?: object }, name: string): boolean {
  return Object.hasOwn(status.capacity ?? {}, name) || Object.hasOwn(status.allocatable ?? {}, name);
}
