import { wholeQuantity } from "../../../quantity.ts";
import { at, listAt, mapAt, numberAt, textAt, timeAt } from "./json.ts";

export interface TaintFacts {
  readonly key: string;
  readonly value: string;
  readonly effect: string;
}

export interface NodeFacts {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly taints: readonly TaintFacts[];
  readonly ready: boolean;
  /** Extended resources, whole units. */
  readonly capacity: ReadonlyMap<string, bigint>;
  readonly allocatable: ReadonlyMap<string, bigint>;
}

export interface TolerationFacts {
  readonly key: string;
  readonly operator: string;
  readonly value: string;
  readonly effect: string;
}

/** A DaemonSet or Deployment of ours. */
export interface WorkloadFacts {
  readonly kind: "DaemonSet" | "Deployment";
  readonly name: string;
  readonly desired: number;
  readonly ready: number;
  readonly tolerations: readonly TolerationFacts[];
  /** Arguments of all containers of the template. */
  readonly args: readonly string[];
}

export interface EventFacts {
  readonly namespace: string;
  /** What it is about. */
  readonly kind: string;
  readonly name: string;
  readonly reason: string;
  readonly message: string;
  readonly last: number | undefined;
}

export interface QuotaFacts {
  readonly namespace: string;
  readonly name: string;
  /** Resource names that it limits, without `requests.` and `limits.`. */
  readonly resources: readonly string[];
}

export interface ClaimFacts {
  readonly name: string;
  readonly phase: string;
  readonly className: string;
}

export function nodeFacts(node: unknown): NodeFacts {
  const ready = listAt(node, "status", "conditions").find((each) => textAt(each, "type") === "Ready");
  return {
    name: textAt(node, "metadata", "name"),
    labels: mapAt(node, "metadata", "labels"),
    taints: listAt(node, "spec", "taints").map((taint) => ({
      key: textAt(taint, "key"),
      value: textAt(taint, "value"),
      effect: textAt(taint, "effect"),
    })),
    ready: textAt(ready, "status") === "True",
    capacity: extendedResources(node, "capacity"),
    allocatable: extendedResources(node, "allocatable"),
  };
}

function extendedResources(node: unknown, field: string): ReadonlyMap<string, bigint> {
  const named = [...mapAt(node, "status", field)].filter(([name]) => name.includes("/"));
  return new Map(named.map(([name, text]) => [name, wholeQuantity(text)]));
}

export function workloadFacts(kind: WorkloadFacts["kind"], object: unknown): WorkloadFacts {
  const spec = at(object, "spec", "template", "spec");
  const containers = [...listAt(spec, "initContainers"), ...listAt(spec, "containers")];
  return {
    kind,
    name: textAt(object, "metadata", "name"),
    desired:
      kind === "DaemonSet"
        ? numberAt(object, "status", "desiredNumberScheduled")
        : numberAt(object, "spec", "replicas"),
    ready: numberAt(object, "status", kind === "DaemonSet" ? "numberReady" : "readyReplicas"),
    tolerations: listAt(spec, "tolerations").map((each) => ({
      key: textAt(each, "key"),
      operator: textAt(each, "operator"),
      value: textAt(each, "value"),
      effect: textAt(each, "effect"),
    })),
    args: containers.flatMap((container) =>
      listAt(container, "args").filter((each): each is string => typeof each === "string"),
    ),
  };
}

export function eventFacts(event: unknown): EventFacts {
  const last =
    timeAt(event, "series", "lastObservedTime") ?? timeAt(event, "lastTimestamp") ?? timeAt(event, "eventTime");
  return {
    namespace: textAt(event, "involvedObject", "namespace"),
    kind: textAt(event, "involvedObject", "kind"),
    name: textAt(event, "involvedObject", "name"),
    reason: textAt(event, "reason"),
    message: textAt(event, "message"),
    last,
  };
}

export function quotaFacts(quota: unknown): QuotaFacts {
  const names = [...mapAt(quota, "spec", "hard").keys()].map((key) => key.replace(/^(requests|limits)\./, ""));
  return {
    namespace: textAt(quota, "metadata", "namespace"),
    name: textAt(quota, "metadata", "name"),
    resources: [...new Set(names)],
  };
}

export function claimFacts(claim: unknown): ClaimFacts {
  return {
    name: textAt(claim, "metadata", "name"),
    phase: textAt(claim, "status", "phase"),
    className: textAt(claim, "spec", "storageClassName"),
  };
}
