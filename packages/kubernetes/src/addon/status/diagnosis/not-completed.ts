import { AESM_VARIABLE, EPC_ANNOTATION, PROVISION_RESOURCE, QUOTE_RESOURCE } from "../../../names.ts";
import type { PodFacts } from "../facts/pod-facts.ts";
import { declaredMiB } from "../figures/declared-epc.ts";
import { aesmMount, asksFor, isAesm, quoteProvider } from "../figures/quote-mode.ts";
import type { ClusterView } from "./cluster-view.ts";
import { missedByWebhook } from "./missed-by-webhook.ts";
import { type Problem, podName, problem } from "./problem.ts";

/**
 * Pods that run, and lack what only the webhook would have told them: nothing fails when they start, so that nobody else
 * hears of it (docs/webhook.md, "With the webhook down").
 */
export function notCompletedProblems(view: ClusterView): Problem[] {
  return view.applications.flatMap((pod) => {
    const lacks = [...withoutProvision(pod), ...withoutVariable(view, pod), ...withoutAnnotation(pod)];
    if (lacks.length === 0) return [];
    const missed = missedByWebhook(view, pod);
    if (missed.remedy === undefined) return [];
    return [problem("NOT_COMPLETED", podName(pod), lacks.join("; ") + missed.cause)];
  });
}

function withoutProvision(pod: PodFacts): string[] {
  return pod.containers
    .filter((container) => quoteProvider(pod) === container.name && declaredMiB(container) > 0n)
    .filter((container) => !isAesm(container) && !asksFor(container, PROVISION_RESOURCE))
    .map(({ name }) => `container ${name} is to quote in-process and has no ${PROVISION_RESOURCE}`);
}

function withoutVariable(view: ClusterView, pod: PodFacts): string[] {
  if (quoteProvider(pod) !== "aesmd") return [];
  return pod.containers
    .filter((container) => declaredMiB(container) > 0n && !container.aesmVariable && !isAesm(container))
    .filter((container) => !asksFor(container, QUOTE_RESOURCE))
    .filter((container) => aesmMount(container, view.aesmDirectory) !== undefined)
    .map(({ name }) => `container ${name} has the AESM directory and not ${AESM_VARIABLE}`);
}

/** The annotation is read by virtual machine runtimes, which a pod chooses by its runtime class. */
function withoutAnnotation(pod: PodFacts): string[] {
  const hasEpc = pod.containers.some((container) => declaredMiB(container) > 0n);
  if (pod.runtimeClass === "" || !hasEpc || pod.annotations.has(EPC_ANNOTATION)) return [];
  return [`its runtime class ${pod.runtimeClass} is not told the EPC: no annotation ${EPC_ANNOTATION}`];
}
