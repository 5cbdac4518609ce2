import { QUOTE_HELPER_NAME } from "../../../manifests/object-names.ts";
import type { PodFacts } from "../facts/pod-facts.ts";
import { isAesm, optsIn } from "../figures/quote-mode.ts";
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
      const cause = `it asks for quotes on ${pod.node}, where no pod of ${QUOTE_HELPER_NAME} runs`;
      return [problem("HELPER_NOT_ON_NODE", podName(pod), cause)];
    });
}

/** A pod with an AESM service of its own needs none of the node. */
function wantsNodeHelper(view: ClusterView, pod: PodFacts): boolean {
  return !pod.containers.some(isAesm) && pod.containers.some((container) => optsIn(pod, container, view.aesmDirectory));
}
