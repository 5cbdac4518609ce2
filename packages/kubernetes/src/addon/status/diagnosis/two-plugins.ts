import { PLUGIN_NAME } from "../../../manifests/object-names.ts";
import { DEVICE_PLUGIN_DIRECTORY } from "../../../names.ts";
import type { ClusterView } from "./cluster-view.ts";
import { nodeName, type Problem, problem } from "./problem.ts";

/** Device plugins of other vendors for SGX beside ours, by their pods. */
export function twoPluginsProblems(view: ClusterView): Problem[] {
  return view.applications.flatMap((pod) => {
    if (pod.node === null || view.podsOf(PLUGIN_NAME, pod.node).length === 0) return [];
    const registers = pod.volumes.some(({ hostPath }) => hostPath?.path.startsWith(DEVICE_PLUGIN_DIRECTORY));
    const named = [pod.name, ...pod.containers.map(({ image }) => image)].some((text) => /sgx/i.test(text));
    if (!registers || !named) return [];
    const cause = `pod ${pod.namespace}/${pod.name} (${pod.containers[0]?.image}) runs beside ${PLUGIN_NAME}`;
    return [problem("TWO_PLUGINS", nodeName(pod.node), cause)];
  });
}
