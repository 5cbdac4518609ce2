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

test("a version that is no number is COLLATERAL, whatever else it is", () => {
  const fields = { pck_crl_issuer_chain: "", root_ca_crl: "", pck_crl: "", tcb_info_issuer_chain: "", tcb_info: "" };
  const collateral = { ...fields, qe_identity_issuer_chain: "", qe_identity: "" };
  assert.equal(normalizeCollateral(collateral).version, 3);
  for (const version of [null, "3", [], {}, 3n]) {
    assert.throws(() => normalizeCollateral({ ...collateral, version: version as unknown as number }), {
      name: "VerifyError",
      code: "COLLATERAL",
    });
  }
});
