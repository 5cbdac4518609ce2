import { isAesm, quoteMode } from "../figures/quote-mode.ts";
import type { ClusterView } from "./cluster-view.ts";
import { type Problem, podName, problem } from "./problem.ts";

/** Containers that ask for both ways to quote. */
export function quoteModeProblems(view: ClusterView): Problem[] {
  return view.applications.flatMap((pod) =>
    pod.containers
      .filter((container) => !isAesm(container) && quoteMode(pod, container, view.aesmDirectory) === "both")
      .map(({ name }) => problem("BOTH_MODES", podName(pod), `container ${name} asks for both`)),
  );
}
