import { WEBHOOK_NAME } from "../../../manifests/object-names.ts";
import { INJECTION_LABEL } from "../../../names.ts";
import type { PodFacts } from "../facts/pod-facts.ts";
import type { ClusterView } from "./cluster-view.ts";

/**
 * What to add to the cause, and which remedy, where the webhook would have completed a pod had it been asked. Nothing
 * where there is none, or where it is never asked about the pod's namespace.
 */
export function missedByWebhook(
  view: ClusterView,
  { namespace }: PodFacts,
): { readonly cause: string; readonly remedy?: string } {
  const { webhook, namespaces, namespace: own } = view.snapshot;
  const labels = namespaces.get(namespace);
  if (webhook === null || namespace === "kube-system" || namespace === own) return { cause: "" };
  if (labels?.get(INJECTION_LABEL) === "disabled") return { cause: "" };
  return {
    cause: `; it was made while ${WEBHOOK_NAME} did not answer, or before it was installed`,
    remedy:
      "make the pod again while the webhook answers (delete it, if a controller makes the next one), or write it as the nodes want it",
  };
}
