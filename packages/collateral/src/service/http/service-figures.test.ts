import assert from "node:assert/strict";
import { test } from "node:test";
import { metricsText } from "./metrics.ts";
import { ServiceFigures } from "./service-figures.ts";

test("what the service reports is counted: upstream failures by cause, hits, and the age of documents", async () => {
  const figures = new ServiceFigures();
  const call = { event: "upstream", operation: "tcb-info", source: "pcs", share: "misses", durationMs: 1 } as const;
  figures.report({ ...call, outcome: "ok" });
  figures.report({ ...call, outcome: "SOURCE_TIMEOUT", reason: "a secret?" });
  figures.report({ ...call, outcome: "SOURCE_TIMEOUT" });
  figures.report({ event: "hit", kind: "tcb-info", stale: true });
  figures.report({ event: "document", key: "k", kind: "tcb-info", issued: 1000, nextUpdate: 11_000 });
  const text = await metricsText(figures.metrics(6000));
  for (const line of [
    'confcom_pccs_upstream_calls_total{operation="tcb-info",source="pcs",outcome="SOURCE_TIMEOUT"} 2',
    'confcom_pccs_upstream_calls_total{operation="tcb-info",source="pcs",outcome="ok"} 1',
    'confcom_pccs_hits_total{kind="tcb-info",stale="true"} 1',
    'confcom_pccs_document_age_seconds{kind="tcb-info"} 5',
    'confcom_pccs_document_remaining_seconds{kind="tcb-info"} 5',
  ]) {
    assert.ok(text.includes(`${line}\n`), line);
  }
  assert.doesNotMatch(text, /secret/);
});
