import { PLUGIN_NAME, QUOTE_HELPER_NAME } from "../../../manifests/object-names.ts";
import { CAPABLE_LABEL } from "../../../names.ts";
import type { NodeFacts, TaintFacts, TolerationFacts, WorkloadFacts } from "../facts/cluster-facts.ts";
import { type ClusterView, sgxEvidence } from "./cluster-view.ts";
import { nodeName, type Problem, problem } from "./problem.ts";

/** SGX nodes on which our pods do not run: spot pools and other taints (AKS #2235), selectors. One for each node. */
export function placementProblems(view: ClusterView): Problem[] {
  const plugin = view.workload(PLUGIN_NAME);
  const helper = view.workload(QUOTE_HELPER_NAME);
  return view.snapshot.nodes.flatMap((node) => {
    const evidence = sgxEvidence(node, view.plugin(node.name));
    if (plugin === undefined || evidence === undefined || !node.ready) return [];
    const noPlugin = view.podsOf(PLUGIN_NAME, node.name).length === 0;
    const noHelper =
      node.labels.get(CAPABLE_LABEL) === "true" && helper !== undefined && view.helperOn(node.name) === undefined;
    const absent = [...(noPlugin ? [plugin] : []), ...(noHelper ? [helper] : [])];
    const hostile = absent.flatMap((set) => untolerated(node, set));
    if (hostile[0] !== undefined) {
      const { key, value, effect } = hostile[0];
      const taint = `${key}${value === "" ? "" : `=${value}`}:${effect}`;
      const names = absent.map(({ name }) => name).join(" and ");
      return [
        problem("TAINT_NOT_TOLERATED", nodeName(node.name), `its taint ${taint} keeps ${names} away (${evidence})`),
      ];
    }
    if (!noPlugin) return [];
    return [problem("PLUGIN_NOT_ON_NODE", nodeName(node.name), `no pod of ${PLUGIN_NAME} is there, and ${evidence}`)];
  });
}

/** Taints against a DaemonSet's pods. Those that the DaemonSet controller lets its pods tolerate by itself are none. */
function untolerated(node: NodeFacts, { tolerations }: WorkloadFacts): TaintFacts[] {
  return node.taints.filter(
    (taint) =>
      (taint.effect === "NoSchedule" || taint.effect === "NoExecute") &&
      !taint.key.startsWith("node.kubernetes.io/") &&
      !tolerations.some((toleration) => tolerates(toleration, taint)),
  );
}

function tolerates({ key, operator, value, effect }: TolerationFacts, taint: TaintFacts): boolean {
  if (effect !== "" && effect !== taint.effect) return false;
  if (operator === "Exists") return key === "" || key === taint.key;
  return key === taint.key && value === taint.value;
}
