import assert from "node:assert/strict";
import { test } from "node:test";
import { count } from "./kubernetes-objects.ts";

test("the API server writes counts with decimal and binary suffixes; none is zero", () => {
  const counts = ["100k", "8192", "64Ki", "512Gi", "1M", "1.5k", undefined].map(count);
  assert.deepEqual(counts, [100_000, 8192, 65_536, 549_755_813_888, 1_000_000, 1500, 0]);
});

test("what is no count is an error, not a number", () => {
  for (const text of ["", "k", "100m", "-1", "1e3", "ten"]) assert.throws(() => count(text), /not a count/, text);
});
