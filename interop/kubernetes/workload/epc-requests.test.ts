import assert from "node:assert/strict";
import { test } from "node:test";
import { MIB, scheduledAmount, smallRequests } from "./epc-requests.ts";

test("bytes become whole MiB upwards, MiB become bytes", () => {
  assert.equal(scheduledAmount({ written: "intel", amount: 10 * MIB }, "azure"), 10);
  assert.equal(scheduledAmount({ written: "intel", amount: 10 * MIB + 1 }, "azure"), 11);
  assert.equal(scheduledAmount({ written: "azure", amount: 3 }, "intel"), 3 * MIB);
  assert.equal(scheduledAmount({ written: "intel", amount: 4097 }, "intel"), 4097);
});

test("forty small requests are more than 512 MiB, written in both ways, with bytes that are no whole MiB", () => {
  const requests = smallRequests(40);
  assert.ok(requests.reduce((sum, request) => sum + scheduledAmount(request, "intel"), 0) > 512 * MIB);
  assert.equal(requests.filter(({ written }) => written === "intel").length, 20);
  assert.ok(requests.some(({ written, amount }) => written === "intel" && amount % MIB !== 0));
});
