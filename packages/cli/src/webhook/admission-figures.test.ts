import assert from "node:assert/strict";
import { test } from "node:test";
import { metricsText } from "@confcom/kubernetes/status";
import type { AdmissionAnswered } from "@confcom/kubernetes/webhook";
import { AdmissionFigures } from "./admission-figures.ts";

const SLOT = "/mutate/slot";

const answered = (milliseconds: number, path: AdmissionAnswered["path"]): AdmissionAnswered => ({
  path,
  result: path === undefined ? "malformed" : "patched",
  milliseconds,
  warnings: 1,
});

test("without a request there is nothing to tell, and the metrics are still readable", async () => {
  const figures = new AdmissionFigures();
  assert.deepEqual(figures.report(), { results: [], warnings: 0, p50Ms: null, p99Ms: null });
  assert.match(await metricsText(figures.metrics("x")), /x_admission_seconds\{quantile="0.99"\} 0/);
});

test("requests are counted by path and result; a stranger's paths are one", () => {
  const figures = new AdmissionFigures();
  for (let index = 0; index < 3; index++) figures.count(answered(1, SLOT));
  figures.count(answered(1, undefined));
  assert.deepEqual(figures.report().results, [
    { path: "/mutate/slot", result: "patched", count: 3 },
    { path: "other", result: "malformed", count: 1 },
  ]);
  assert.equal(figures.report().warnings, 4);
});

test("quantiles are those of the last 4096 requests", () => {
  const figures = new AdmissionFigures();
  for (let index = 0; index < 100; index++) figures.count(answered(index, SLOT));
  assert.deepEqual([figures.report().p50Ms, figures.report().p99Ms], [50, 99]);
  for (let index = 0; index < 4096; index++) figures.count(answered(7, SLOT));
  assert.deepEqual([figures.report().p50Ms, figures.report().p99Ms], [7, 7]);
});
