import { WEBHOOK_NAME } from "../../../manifests/object-names.ts";
import type { ClusterView } from "./cluster-view.ts";
import { type Problem, problem } from "./problem.ts";

/** A CA is renewed long before this, ms. */
const WEEK = 7 * 86_400_000;

const CONFIGURATION = { kind: "MutatingWebhookConfiguration", name: WEBHOOK_NAME };

/** Whether the API server reaches the webhook and believes it. Its failure policy lets pods pass, so nobody else tells. */
export function webhookProblems(view: ClusterView): Problem[] {
  const { webhook, namespace, takenAt } = view.snapshot;
  if (webhook === null) return [];
  if (!webhook.configured) {
    return [problem("WEBHOOK_UNCONFIGURED", CONFIGURATION, "the Deployment is there, the configuration is not")];
  }
  const found: Problem[] = [];
  const { desired = 0, ready = 0 } = view.workload(WEBHOOK_NAME) ?? {};
  if (ready === 0 || webhook.readyEndpoints === 0) {
    const object = { kind: "Deployment", namespace, name: WEBHOOK_NAME };
    found.push(
      problem(
        "WEBHOOK_DOWN",
        object,
        `${ready} of ${desired} replicas ready, ${webhook.readyEndpoints ?? "unknown"} addresses behind the Service`,
      ),
    );
  }
  const missing = webhook.bundles.filter(({ endsAt }) => endsAt === null).map((bundle) => bundle.webhook);
  if (missing.length > 0) {
    found.push(
      problem("WEBHOOK_CA_MISSING", CONFIGURATION, `no certificate in the caBundle of ${missing.join(" and ")}`),
    );
  }
  const ends = webhook.bundles.flatMap(({ endsAt }) => (endsAt === null ? [] : [endsAt]));
  const first = Math.min(...ends);
  if (ends.length > 0 && first - takenAt < WEEK) {
    const code = first <= takenAt ? "WEBHOOK_CA_EXPIRED" : "WEBHOOK_CA_EXPIRING";
    found.push(problem(code, CONFIGURATION, `the last CA ends ${new Date(first).toISOString()}`));
  }
  return found;
}
