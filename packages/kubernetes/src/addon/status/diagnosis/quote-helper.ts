import { QUOTE_HELPER_NAME } from "../../../manifests/object-names.ts";
import type { ContainerFacts, PodFacts } from "../facts/pod-facts.ts";
import { aesmMount, isAesm, optsIn } from "../figures/quote-mode.ts";
import type { ClusterView } from "./cluster-view.ts";
import { type Problem, podName, problem } from "./problem.ts";

/** Pods that ask for quotes where no helper is (azure-docs #93869: the directory was empty and nobody said so). */
export function quoteHelperProblems(view: ClusterView): Problem[] {
  // Who may not list DaemonSets does not know that there is none.
  const known = !view.snapshot.unread.some(({ what }) => what === "DaemonSets");
  const installed = view.workload(QUOTE_HELPER_NAME) !== undefined || !known;
  return view.applications
    .filter((pod) => wantsNodeHelper(view, pod))
    .flatMap((pod) => {
      if (!installed)
        return [
          problem("HELPER_OFF", podName(pod), `it asks for quotes, and there is no DaemonSet ${QUOTE_HELPER_NAME}`),
        ];
      if (pod.node === null || view.helperOn(pod.node) !== undefined) return [];
      // One that hides the node's directory reaches no helper anywhere: AESM_DIRECTORY_EMPTY tells of it.
      if (!pod.containers.some((container) => looksAtNode(view, pod, container))) return [];
      const cause = `it asks for quotes on ${pod.node}, where no pod of ${QUOTE_HELPER_NAME} runs`;
      return [problem("HELPER_NOT_ON_NODE", podName(pod), cause)];
    });
}

/** A pod with an AESM service of its own needs none of the node. */
function wantsNodeHelper(view: ClusterView, pod: PodFacts): boolean {
  return !pod.containers.some(isAesm) && pod.containers.some((container) => optsIn(pod, container, view.aesmDirectory));
}

/** Whether a container opts in, and not with a volume of the pod where the node's directory would be. */
function looksAtNode(view: ClusterView, pod: PodFacts, container: ContainerFacts): boolean {
  if (!optsIn(pod, container, view.aesmDirectory)) return false;
  const mount = aesmMount(container, view.aesmDirectory);
  const volume = pod.volumes.find(({ name }) => name === mount?.volume);
  return volume === undefined || volume.hostPath !== null;
}
