import { effectiveRequest } from "../../../effective-request.ts";
import { AZURE_EPC_RESOURCE, ENCLAVE_RESOURCE, INTEL_EPC_RESOURCE } from "../../../names.ts";
import { wholeQuantity } from "../../../quantity.ts";
import type { NodeFacts } from "../facts/cluster-facts.ts";
import type { ContainerFacts, PodFacts } from "../facts/pod-facts.ts";
import { declaredMiB } from "../figures/declared-epc.ts";
import { asksFor } from "../figures/quote-mode.ts";
import { type ClusterView, EPC_RESOURCES } from "./cluster-view.ts";
import { missedByWebhook } from "./missed-by-webhook.ts";
import { type Problem, podName, problem } from "./problem.ts";

/** More MiB than a machine will have, 16 TiB: what stands there is bytes, or a suffix that means another thing. */
const ABSURD_MIB = 1n << 24n;

/** What pods ask of EPC and cannot get, or would not get as they think. At most one for each pod. */
export function epcRequestProblems(view: ClusterView): Problem[] {
  return view.applications.flatMap(
    (pod) => unitProblem(pod) ?? waitingProblem(view, pod) ?? slotProblem(view, pod) ?? [],
  );
}

function unitProblem(pod: PodFacts): Problem | undefined {
  for (const container of pod.containers) {
    const mib = container.resources.get(AZURE_EPC_RESOURCE);
    if (mib !== undefined && (/[KMGTPE]i$/.test(mib) || wholeQuantity(mib) >= ABSURD_MIB)) {
      const cause = `container ${container.name} asks for ${AZURE_EPC_RESOURCE}: ${mib}, which is ${wholeQuantity(mib)} MiB`;
      return problem("EPC_SUFFIX", podName(pod), cause);
    }
    const bytes = wholeQuantity(container.resources.get(INTEL_EPC_RESOURCE));
    if (bytes > 0n && bytes < 1n << 20n) {
      const cause = `container ${container.name} asks for ${INTEL_EPC_RESOURCE}: ${bytes}, which is ${bytes} bytes`;
      return problem("EPC_BYTES", podName(pod), cause);
    }
  }
  return undefined;
}

/** Why a pod waits that no node could ever take. One that waits for others to end is the scheduler's business. */
function waitingProblem(view: ClusterView, pod: PodFacts): Problem | undefined {
  if (pod.node !== null || pod.phase !== "Pending") return undefined;
  const asked = EPC_RESOURCES.filter((name) => pod.containers.some((container) => asksFor(container, name)));
  if (asked.length === 0) return undefined;
  const { nodes } = view.snapshot;
  const offered = EPC_RESOURCES.filter((name) => largest(nodes, name) > 0n);
  if (offered.length === 0)
    return problem("EPC_NOWHERE", podName(pod), `it asks for ${asked.join(" and ")}, which no node has`);
  const missing = asked.filter((name) => !offered.includes(name));
  if (missing.length > 0) {
    const missed = missedByWebhook(view, pod);
    const cause = `it asks for ${missing.join(" and ")}; the nodes have ${offered.join(" and ")}${missed.cause}`;
    return problem("EPC_NAME", podName(pod), cause, missed.remedy);
  }
  for (const name of asked) {
    const wanted = effectiveRequest(pod.containers, ({ resources }) => wholeQuantity(resources.get(name)));
    const most = largest(nodes, name);
    if (wanted > most) {
      const cause = `it takes ${wanted} of ${name}, and the largest node has ${most}`;
      return problem("EPC_LARGER_THAN_NODES", podName(pod), cause);
    }
  }
  return undefined;
}

const largest = (nodes: readonly NodeFacts[], name: string): bigint =>
  nodes.reduce((most, { capacity }) => ((capacity.get(name) ?? 0n) > most ? (capacity.get(name) ?? 0n) : most), 0n);

/** intel #1344: the resource is there and the device is not, because nobody added the slot. */
function slotProblem(view: ClusterView, pod: PodFacts): Problem | undefined {
  if (pod.node === null || view.plugin(pod.node)?.publishing?.mode !== "counter") return undefined;
  const bare = pod.containers.find(
    (container: ContainerFacts) => declaredMiB(container) > 0n && !asksFor(container, ENCLAVE_RESOURCE),
  );
  if (bare === undefined) return undefined;
  const missed = missedByWebhook(view, pod);
  const cause = `container ${bare.name} has EPC on ${pod.node}, which counts it, and no slot of ${ENCLAVE_RESOURCE}${missed.cause}`;
  return problem("ENCLAVE_SLOT_MISSING", podName(pod), cause, missed.remedy);
}
