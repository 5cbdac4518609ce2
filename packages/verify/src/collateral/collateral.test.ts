import assert from "node:assert/strict";
import { test } from "node:test";
import type { Collateral } from "@confcom/sgx";
import { normalizeCollateral } from "./collateral.ts";

test("collateral that is no object at all is COLLATERAL, as one with a field missing is", () => {
  for (const value of [null, undefined, "collateral", 9, true, [], {}]) {
    assert.throws(
      () => normalizeCollateral(value as unknown as Collateral),
      { name: "VerifyError", code: "COLLATERAL" },
      JSON.stringify(value),
    );
  }
});
