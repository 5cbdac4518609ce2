import { PLUGIN_NAME } from "../../../manifests/object-names.ts";
import { OWN_RESOURCES } from "../../../names.ts";
import type { ClusterView } from "./cluster-view.ts";
import { nodeName, type Problem, problem } from "./problem.ts";

/**
 * Resources that a node still offers and nobody serves: pods are sent there and get nothing. Where a plugin runs whose
 * status could not be read, nothing is said.
 */
export function staleCapacityProblems(view: ClusterView): Problem[] {
  return view.snapshot.nodes.flatMap((node) => {
    const offered = OWN_RESOURCES.filter((name) => (node.allocatable.get(name) ?? 0n) > 0n);
    const plugin = view.plugin(node.name);
    if (plugin === undefined && view.podsOf(PLUGIN_NAME, node.name).length > 0) return [];
    // Being found out, or about to be taken over by the one that says so.
    if (plugin !== undefined && plugin.state !== "serving" && plugin.state !== "idle") return [];
    const served = [...(plugin?.resources ?? []), ...(plugin?.counters ?? [])].map(({ name }) => name);
    const stale = offered.filter((name) => !served.includes(name));
    if (stale.length === 0 || (plugin === undefined && view.workload(PLUGIN_NAME) !== undefined)) return [];
    return [
      problem("STALE_CAPACITY", nodeName(node.name), `it offers ${stale.join(", ")}, which no plugin there serves`),
    ];
  });
}
