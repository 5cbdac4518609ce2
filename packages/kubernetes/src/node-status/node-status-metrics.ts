import { type MetricFamily, metricsText, type ProcessFigures, processMetrics } from "../status/metrics.ts";
import type { NodeStatus } from "./node-status.ts";

const PREFIX = "confcom_node_status";

/** The figures of `node-status` as Prometheus text. */
export function nodeStatusMetrics(report: ReturnType<NodeStatus["report"]>, figures: ProcessFigures): Promise<string> {
  const { events, writes, problems, syncedAt } = report;
  const one = (type: MetricFamily["type"], name: string, help: string, value: number): MetricFamily => ({
    name: `${PREFIX}_${name}`,
    help,
    type,
    samples: [{ value }],
  });
  return metricsText([
    ...processMetrics(PREFIX, figures),
    one("gauge", "problems", "How many things are wrong at this moment; /status names them.", problems.length),
    one(
      "gauge",
      "synced_seconds",
      "When the node last showed what the plugin says, seconds since 1970; 0 for never.",
      syncedAt === null ? 0 : Date.parse(syncedAt) / 1000,
    ),
    one("counter", "writes_total", "Patches of the node's status.", writes),
    one("counter", "events_sent_total", "Events that the API server took.", events.sent),
    one("counter", "events_dropped_total", "Events that could not be told.", events.dropped),
    one("gauge", "events_pending", "Events that wait to be told.", events.pending),
  ]);
}
