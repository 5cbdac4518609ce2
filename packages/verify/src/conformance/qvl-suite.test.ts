import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { expectedStatus, type RecordedCall, replay } from "./qvl-suite-replay.ts";
import { readGzipLines } from "./verification-cases.ts";

/** Calls without a counterpart, and why. */
function leftOut(call: RecordedCall): string | undefined {
  if (call.fn === "VerifyPCKRevocationList")
    return "deprecated, compares with Intel's own names, not part of verifying a quote";
  if (call.fn === "VerifyQuote" && call.qeIdentity === null && call.quote !== null) {
    return "the QE identity is optional for that function alone; verifying a quote always has one";
  }
  return undefined;
}

const calls = readGzipLines<RecordedCall>("qvl-suite/calls.jsonl.gz");

describe("calls recorded from the reference verifier's test suites", () => {
  calls.forEach((call, i) => {
    if (leftOut(call) !== undefined) return;
    it(`${i + 1}: ${call.fn} in ${call.test}: ${call.result}`, () => assert.equal(replay(call), expectedStatus(call)));
  });

  it("leave out 15 of 533", () => {
    assert.equal(calls.length, 533);
    assert.equal(calls.filter((call) => leftOut(call) !== undefined).length, 15);
  });
});
