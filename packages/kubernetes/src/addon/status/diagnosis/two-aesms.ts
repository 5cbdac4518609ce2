import { QUOTE_HELPER_NAME } from "../../../manifests/object-names.ts";
import { QUOTE_RESOURCE } from "../../../names.ts";
import type { PodFacts } from "../facts/pod-facts.ts";
import { asksFor, isAesm } from "../figures/quote-mode.ts";
import type { ClusterView } from "./cluster-view.ts";
import { type Problem, podName, problem } from "./problem.ts";

/** Two AESM services where there should be one: on a node, or in a pod. */
export function twoAesmsProblems(view: ClusterView): Problem[] {
  const others = view.applications.flatMap((pod) => otherService(view, pod) ?? []);
  const explained = new Set<string | null>(others.map(({ node }) => node));
  const taken = view.daemons(QUOTE_HELPER_NAME).flatMap(({ pod, node, helper }) => {
    if (helper === null || explained.has(node) || !/another process took it over/.test(helper.why)) return [];
    const object = podName({ namespace: view.snapshot.namespace, name: pod });
    return [problem("TWO_AESMS_ON_NODE", object, `on ${node ?? "its node"}: ${helper.why}`)];
  });
  return [...others.map(({ found }) => found), ...taken, ...view.applications.flatMap(sidecarAndSlot)];
}

/** Another pod that serves in the directory of a node's helper. */
function otherService(view: ClusterView, pod: PodFacts): { node: string; found: Problem } | undefined {
  if (pod.node === null || view.helperOn(pod.node) === undefined) return undefined;
  const shared = pod.volumes.filter(({ hostPath }) => hostPath !== null && /\/aesmd\/?$/.test(hostPath.path));
  const service = pod.containers.find(
    (container) =>
      isAesm(container) &&
      container.mounts.some(({ volume, readOnly }) => !readOnly && shared.some(({ name }) => name === volume)),
  );
  if (service === undefined) return undefined;
  const cause = `container ${service.name} (${service.image}) serves in ${shared[0]?.hostPath?.path} of ${pod.node}, as the helper does`;
  return { node: pod.node, found: problem("TWO_AESMS_ON_NODE", podName(pod), cause) };
}

function sidecarAndSlot(pod: PodFacts): Problem[] {
  const sidecar = pod.containers.find(isAesm);
  const holder = pod.containers.find((container) => asksFor(container, QUOTE_RESOURCE));
  if (sidecar === undefined || holder === undefined) return [];
  const cause = `container ${sidecar.name} is an AESM service, and container ${holder.name} has a slot of ${QUOTE_RESOURCE}`;
  return [problem("SIDECAR_AND_HELPER", podName(pod), cause)];
}
