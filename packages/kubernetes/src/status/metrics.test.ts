import assert from "node:assert/strict";
import { test } from "node:test";
import { metricsText, processMetrics } from "./metrics.ts";

test("families come out in Prometheus' text format, labels escaped", async () => {
  const text = await metricsText([
    { name: "epc_mib", help: "EPC.", type: "gauge", samples: [{ labels: { state: 'a"b\n' }, value: 3 }] },
    { name: "failures_total", help: "Failures.", type: "counter", samples: [{ value: 0 }] },
  ]);
  assert.match(text, /# TYPE epc_mib gauge\nepc_mib\{state="a\\"b\\n"\} 3\n/);
  assert.match(text, /# TYPE failures_total counter\nfailures_total 0\n/);
});

test("asking twice gives the same text: nothing is added up between two readings", async () => {
  const families = [{ name: "n_total", help: "N.", type: "counter", samples: [{ value: 2 }] }] as const;
  assert.equal(await metricsText(families), await metricsText(families));
});

test("every daemon says its version, memory and start", async () => {
  const text = await metricsText(processMetrics("x", { residentBytes: 5, startedAt: 7000, version: "0.1.0" }));
  assert.match(text, /x_info\{version="0\.1\.0"\} 1/);
  assert.match(text, /process_resident_memory_bytes 5/);
  assert.match(text, /process_start_time_seconds 7/);
});
