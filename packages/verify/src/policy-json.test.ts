import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fromHex } from "@confcom/sgx";
import fc from "fast-check";
import { parsePolicy, VerifyError } from "./index.ts";

function refused(json: string, message: RegExp): void {
  assert.throws(
    () => parsePolicy(json),
    (error) => {
      assert.ok(error instanceof VerifyError && error.code === "POLICY", String(error));
      assert.match(error.message, message);
      return true;
    },
  );
}

const H32 = "ab".repeat(32);
const H48 = "cd".repeat(48);

describe("a policy in JSON", () => {
  it("may have every field of a policy", () => {
    const json = {
      allowedResults: ["OK", "SW_HARDENING_NEEDED"],
      allowedPlatforms: ["hardware"],
      allowExpiredCollateral: true,
      allowDebug: false,
      maximumCollateralAge: 2_592_000,
      minimumTcbEvaluationDataNumber: 17,
      toleratedAdvisories: ["INTEL-SA-00289"],
      minimumQeIsvSvn: 8,
      minimumPceSvn: 13,
      reportData: "0102",
      reportDataHashOf: { algorithm: "sha256", bytes: "00ff" },
      sgx: { mrEnclave: [H32], mrSigner: [H32.toUpperCase()], isvProdId: 1, minimumIsvSvn: 2 },
      td: {
        mrTd: [H48],
        rtmr: [H48, null, H48],
        mrSeam: [H48],
        mrConfigId: H48,
        mrOwner: H48,
        mrOwnerConfig: H48,
        mrServiceTd: H48,
        tdAttributes: { mask: "ffffffffffffffff", value: "0000001000000000" },
        xfam: { mask: "00".repeat(8), value: "00".repeat(8) },
        minimumTeeTcbSvn: "05".repeat(16),
      },
    };
    const policy = parsePolicy(JSON.stringify(json));
    assert.deepEqual(Object.keys(policy), Object.keys(json));
    assert.deepEqual(policy.sgx, {
      mrEnclave: [fromHex(H32)],
      mrSigner: [fromHex(H32)],
      isvProdId: 1,
      minimumIsvSvn: 2,
    });
    assert.deepEqual(policy.td?.rtmr, [fromHex(H48), undefined, fromHex(H48)]);
    assert.deepEqual(policy.reportDataHashOf, { algorithm: "sha256", bytes: Uint8Array.of(0, 255) });
  });

  it("may be empty", () => assert.deepEqual(parsePolicy("{}"), {}));

  it("has no field that is not a rule, and none twice", () => {
    refused('{"allowDebgu":true}', /^allowDebgu is not a field/);
    refused('{"sgx":{"mrenclave":[]}}', /^sgx\.mrenclave is not a field/);
    refused('{"__proto__":{}}', /__proto__ is not a field/);
    refused('{"toString":1}', /toString is not a field/);
    refused('{"allowDebug":false,"allowDebug":true}', /allowDebug is not there only once/);
    refused('{"td":{"xfam":{"mask":"0000000000000000"}}}', /td\.xfam\.value is not given/);
  });

  it("has no value of another type, size or range", () => {
    for (const [json, place] of [
      ["[]", "the policy"],
      ["null", "the policy"],
      ['{"allowedResults":"OK"}', "allowedResults"],
      ['{"allowedResults":["UNSPECIFIED"]}', "allowedResults\\[0\\]"],
      ['{"allowedPlatforms":["any"]}', "allowedPlatforms\\[0\\]"],
      ['{"allowDebug":"true"}', "allowDebug"],
      ['{"allowDebug":1}', "allowDebug"],
      ['{"maximumCollateralAge":1.5}', "maximumCollateralAge"],
      ['{"maximumCollateralAge":-1}', "maximumCollateralAge"],
      ['{"maximumCollateralAge":1e3}', "maximumCollateralAge"],
      ['{"toleratedAdvisories":[1]}', "toleratedAdvisories\\[0\\]"],
      [`{"reportData":"${"00".repeat(65)}"}`, "reportData"],
      ['{"reportData":"0g"}', "reportData"],
      ['{"reportData":"000"}', "reportData"],
      ['{"reportDataHashOf":{"algorithm":"md5","bytes":""}}', "reportDataHashOf.algorithm"],
      [`{"sgx":{"mrEnclave":["${"00".repeat(31)}"]}}`, "sgx.mrEnclave\\[0\\]"],
      ['{"sgx":{"mrEnclave":[null]}}', "sgx.mrEnclave\\[0\\]"],
      [`{"sgx":{"mrSigner":"${H32}"}}`, "sgx.mrSigner"],
      ['{"sgx":{"isvProdId":65536}}', "sgx.isvProdId"],
      ['{"sgx":null}', "sgx"],
      ['{"td":{"xfam":{"mask":"00","value":"00"}}}', "td.xfam.mask"],
    ] as const) {
      refused(json, new RegExp(`^${place} is not `));
    }
    refused(`{"td":{"rtmr":[null,null,null,null,null]}}`, /four RTMRs/);
  });

  it("is JSON and nothing after it", () => {
    for (const json of ["", "{", "{} {}", "{'a':1}", '{"allowDebug":true,}', "// x\n{}"]) refused(json, /not JSON/);
  });

  it("is a policy or a VerifyError, whatever the text", () => {
    const field = fc.constantFrom("sgx", "td", "rtmr", "allowDebug", "reportData", "mrEnclave", "__proto__", "x");
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.json(), fc.dictionary(field, fc.jsonValue()).map(JSON.stringify)),
        (text) => {
          try {
            parsePolicy(text);
          } catch (error) {
            assert.ok(error instanceof VerifyError && error.code === "POLICY", String(error));
          }
        },
      ),
    );
  });
});
