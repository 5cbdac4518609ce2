import { PLUGIN_NAME } from "../../../manifests/object-names.ts";
import type { PodFacts } from "../facts/pod-facts.ts";
import type { ClusterView } from "./cluster-view.ts";
import { nodeName, type Problem, podName, problem } from "./problem.ts";

const IMAGE_REASONS = [
  "ErrImagePull",
  "ImagePullBackOff",
  "ErrImageNeverPull",
  "InvalidImageName",
  "RegistryUnavailable",
];

/** The plugin's exit status where somebody else owns its resources. */
const REFUSED = 76;

/** Our own pods that do not come up: image, crash loop, no place. At most one for each. */
export function ownPodProblems(view: ClusterView): Problem[] {
  return view.ownPods.flatMap((pod) => podProblem(pod) ?? []);
}

function podProblem(pod: PodFacts): Problem | undefined {
  for (const { name, image, waiting, ended } of pod.containers) {
    if (waiting === null) continue;
    if (IMAGE_REASONS.includes(waiting.reason)) {
      const said = waiting.message === "" ? waiting.reason : `${waiting.reason}: ${waiting.message}`;
      return problem("IMAGE_PULL", podName(pod), `container ${name}, image ${image}: ${said}`);
    }
    if (waiting.reason !== "CrashLoopBackOff") continue;
    if (name === PLUGIN_NAME && ended?.exitCode === REFUSED && pod.node !== null) {
      return problem(
        "TWO_PLUGINS",
        nodeName(pod.node),
        `${pod.name} ends with ${REFUSED}: another plugin owns our resources; its log names it`,
      );
    }
    const how = ended === null ? "" : `: exit status ${ended.exitCode} ${ended.reason} ${ended.message}`.trimEnd();
    return problem("CRASH_LOOP", podName(pod), `container ${name} ends again and again${how}`);
  }
  if (pod.node === null && pod.unschedulable !== "") return problem("POD_PENDING", podName(pod), pod.unschedulable);
  return undefined;
}

/** A pod that has just been made may take this long before anybody worries, ms. */
const START = 60_000;

/** Pods of ours that are not ready, where no other problem speaks of the pod or its node. */
export function unexplainedPods(view: ClusterView, told: readonly Problem[]): Problem[] {
  const named = new Set(told.map(({ object }) => object.name));
  const { takenAt, daemons } = view.snapshot;
  return view.ownPods.flatMap((pod) => {
    const young = pod.createdAt !== undefined && takenAt - pod.createdAt < START;
    if (pod.ready || young || named.has(pod.name) || (pod.node !== null && named.has(pod.node))) return [];
    const unready = pod.containers.filter(({ kind, ready }) => kind !== "init" && !ready).map(({ name }) => name);
    const said = daemons.find((each) => each.pod === pod.name && each.helper !== null && !each.helper.ready)?.helper
      ?.why;
    const cause = said ?? `${unready.join(", ") || "it"} not ready, phase ${pod.phase}`;
    return [problem("POD_NOT_READY", podName(pod), cause)];
  });
}
