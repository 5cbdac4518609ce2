import assert from "node:assert/strict";
import { test } from "node:test";
import { metricsText } from "@confcom/collateral/service";
import { ServiceFigures } from "./service-figures.ts";

test("what the service reports is counted by kind, result and cause", async () => {
  const figures = new ServiceFigures();
  for (let n = 0; n < 3; n++) figures.count({ event: "hit", kind: "tcb-info", stale: false });
  figures.count({ event: "hit", kind: "tcb-info", stale: true });
  figures.count({
    event: "upstream",
    operation: "pck-certificates",
    source: "PCS",
    share: "misses",
    outcome: "SOURCE_TIMEOUT",
    durationMs: 20_000,
  });
  figures.count({ event: "document", key: "root-ca-crl", kind: "root-ca-crl", issued: 1_000, nextUpdate: 2_000 });
  const text = await metricsText(figures.metrics());
  assert.match(text, /^confcom_pccs_store_lookups_total\{kind="tcb-info",result="hit"\} 3$/m);
  assert.match(text, /^confcom_pccs_store_lookups_total\{kind="tcb-info",result="stale"\} 1$/m);
  assert.match(text, /outcome="SOURCE_TIMEOUT"\} 1$/m);
  assert.match(text, /^confcom_pccs_document_next_update_seconds\{kind="root-ca-crl"\} 2$/m);
});
