import { PART_OF_LABEL } from "../../manifests/object-names.ts";
import { OWN_RESOURCES } from "../../names.ts";
import type { ClusterAccess, ClusterObject } from "../cluster-access.ts";
import { PODS } from "../resource-kinds.ts";

/** A pod that was given SGX resources and still runs. */
export interface ResourceHolder {
  readonly namespace: string;
  readonly pod: string;
  readonly node: string;
  /** `name: quantity` of each container's limits, each text once. */
  readonly resources: readonly string[];
}

interface PodSpec {
  readonly nodeName?: string;
  readonly containers?: readonly Container[];
  readonly initContainers?: readonly Container[];
}
interface Container {
  readonly resources?: { readonly limits?: Readonly<Record<string, string>> };
}

/** Pods on nodes that hold any of our resources and are not over; the add-on's own are left out. */
export async function resourceHolders(access: ClusterAccess, namespace: string): Promise<readonly ResourceHolder[]> {
  const selector = { fieldSelector: "spec.nodeName!=,status.phase!=Succeeded,status.phase!=Failed" };
  const pods = await access.list(PODS, selector);
  return pods.filter((pod) => !isOwn(pod, namespace)).flatMap(holder);
}

function isOwn({ metadata }: ClusterObject, namespace: string): boolean {
  return metadata.namespace === namespace && metadata.labels?.[PART_OF_LABEL] === "confcom";
}

function holder(pod: ClusterObject): readonly ResourceHolder[] {
  const { nodeName = "", containers = [], initContainers = [] } = (pod.spec ?? {}) as PodSpec;
  const asked = [...containers, ...initContainers].flatMap(({ resources }) => Object.entries(resources?.limits ?? {}));
  const held = asked.filter(([name, quantity]) => OWN_RESOURCES.some((own) => own === name) && quantity !== "0");
  if (held.length === 0) return [];
  const resources = [...new Set(held.map(([name, quantity]) => `${name}: ${quantity}`))];
  return [{ namespace: pod.metadata.namespace ?? "", pod: pod.metadata.name, node: nodeName, resources }];
}

/** More are counted, not named. */
const NAMED = 20;

export function describeHolders(holders: readonly ResourceHolder[]): string {
  const named = holders.slice(0, NAMED).map(({ namespace, pod, node, resources }) => {
    return `${namespace}/${pod} on ${node} (${resources.join(", ")})`;
  });
  if (holders.length > NAMED) named.push(`and ${holders.length - NAMED} more`);
  return named.join("; ");
}
