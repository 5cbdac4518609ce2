import { type MetricFamily, metricsText, type ProcessFigures, processMetrics } from "../status/metrics.ts";
import type { PccsTrust } from "./pccs-trust.ts";

const PREFIX = "confcom_pccs_trust";

/** The figures of `confcom pccs trust` as Prometheus text. */
export function pccsTrustMetrics(report: ReturnType<PccsTrust["report"]>, figures: ProcessFigures): Promise<string> {
  const one = (type: MetricFamily["type"], name: string, help: string, value: number): MetricFamily => ({
    name: `${PREFIX}_${name}`,
    help,
    type,
    samples: [{ value }],
  });
  const seconds = (time: string | null | undefined) => (time == null ? 0 : Date.parse(time) / 1000);
  return metricsText([
    ...processMetrics(PREFIX, figures),
    one("gauge", "problems", "How many things are wrong at this moment; /status names them.", report.problems.length),
    one("counter", "writes_total", "Times that ConfigMap or Secret were written.", report.writes),
    one("gauge", "published", "1 once ConfigMap and Secret were right.", report.publishedAt === null ? 0 : 1),
    one(
      "gauge",
      "server_certificate_end_seconds",
      "When the PCCS's TLS certificate ends, seconds since 1970; 0 for not known yet.",
      seconds(report.server?.notAfter),
    ),
  ]);
}
