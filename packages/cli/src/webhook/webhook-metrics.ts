import { type MetricFamily, metricsText, type ProcessFigures, processMetrics } from "@confcom/kubernetes/status";
import type { WebhookAuthority } from "@confcom/kubernetes/webhook-authority";
import type { AdmissionFigures } from "./admission-figures.ts";

const PREFIX = "confcom_webhook";

/** The webhook's figures as Prometheus text. */
export function webhookMetrics(
  admissions: AdmissionFigures,
  authority: ReturnType<WebhookAuthority["report"]>,
  figures: ProcessFigures & { readonly ready: boolean },
): Promise<string> {
  const one = (type: MetricFamily["type"], name: string, help: string, value: number): MetricFamily => ({
    name: `${PREFIX}_${name}`,
    help,
    type,
    samples: [{ value }],
  });
  const end = (time: string | undefined) => (time === undefined ? 0 : Date.parse(time) / 1000);
  return metricsText([
    ...processMetrics(PREFIX, figures),
    ...admissions.metrics(PREFIX),
    one("gauge", "ready", "Whether the API server trusts this replica's certificate.", figures.ready ? 1 : 0),
    one(
      "gauge",
      "problems",
      "How many things are wrong at this moment; /status names them.",
      authority.problems.length,
    ),
    one(
      "gauge",
      "authority_not_after_seconds",
      "When the authority in use ends, seconds since 1970; 0 without one.",
      end(authority.authority.current?.notAfter),
    ),
    one(
      "gauge",
      "certificate_not_after_seconds",
      "When this replica's certificate ends, seconds since 1970; 0 without one.",
      end(authority.serving?.notAfter),
    ),
    one("gauge", "ca_bundle_in_sync", "Whether every entry trusts what it has to.", authority.caBundle.inSync ? 1 : 0),
    one("counter", "ca_bundle_writes_total", "How often this replica wrote the caBundle.", authority.caBundle.writes),
    one("counter", "authority_steps_total", "Changes of the shared authority by this replica.", authority.steps),
    one("counter", "authority_conflicts_total", "Changes that another replica forestalled.", authority.conflicts),
  ]);
}
