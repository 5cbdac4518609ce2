import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { fromHex } from "@confcom/sgx";
import { readGzipLines, type VerificationCase } from "./conformance/verification-cases.ts";
import {
  type Collateral,
  INTEL_SGX_ROOT_KEY,
  type Policy,
  trustedRootFromCertificate,
  type VerificationResult,
  VerifyError,
  validate,
  verifyQuote,
} from "./index.ts";
import { nodeCrypto } from "./node-crypto.ts";

const cases = readGzipLines<VerificationCase>("verification/cases.jsonl.gz");
const DATE = 1768435200;
const now = new Date(DATE * 1000);

function resultOf(name: string): VerificationResult {
  const labelled = cases.find((one) => one.name === name);
  assert.ok(labelled);
  const trustedRoots = [trustedRootFromCertificate(labelled.trustedRoot)];
  const options = { now: new Date(labelled.date * 1000), trustedRoots, crypto: nodeCrypto };
  return verifyQuote(Buffer.from(labelled.quote, "base64"), labelled.collateral, options);
}

function realSgx(): VerificationResult {
  const read = (path: string) => readFileSync(new URL(`./fixtures/real/${path}`, import.meta.url));
  const collateral = JSON.parse(read("collateral/dq_sgx_00a067.json").toString()) as Collateral;
  const options = { now: new Date(1750416971_000), trustedRoots: [INTEL_SGX_ROOT_KEY], crypto: nodeCrypto };
  return verifyQuote(read("quotes/sgx_v3_f8b81014b6e4.bin"), collateral, options);
}

function rules(result: VerificationResult, policy: Policy): string[] {
  return validate(result, policy, now).failures.map(({ rule }) => rule);
}

describe("validate", () => {
  it("accepts an up-to-date quote under the empty policy, which is the strictest", () => {
    assert.deepEqual(validate(resultOf("ok_platform"), {}, now), { met: true, failures: [] });
  });

  it("accepts nothing that did not verify", () => {
    assert.deepEqual(rules(resultOf("flip_48"), { allowDebug: true, allowedResults: ["OK"] }), ["verified"]);
  });

  it("wants every other verdict allowed by name", () => {
    const result = realSgx();
    assert.deepEqual(rules(result, {}), ["allowedResults"]);
    assert.deepEqual(rules(result, { allowedResults: ["OK", "CONFIG_AND_SW_HARDENING_NEEDED"] }), []);
  });

  it("refuses debug enclaves and debug TDs unless they are allowed", () => {
    for (const name of ["app_debug", "tdx_debug"]) {
      assert.deepEqual(rules(resultOf(name), {}), ["allowDebug"]);
      assert.deepEqual(rules(resultOf(name), { allowDebug: true }), []);
    }
  });

  it("refuses expired collateral unless it is allowed", () => {
    assert.deepEqual(rules(resultOf("ti_expired"), {}), ["allowExpiredCollateral"]);
    assert.deepEqual(rules(resultOf("ti_expired"), { allowExpiredCollateral: true }), []);
  });

  it("reports all failures, not the first", () => {
    const policy: Policy = {
      maximumCollateralAge: 1,
      toleratedAdvisories: ["INTEL-SA-00289"],
      reportData: Uint8Array.of(1),
      sgx: { mrEnclave: [new Uint8Array(32)], mrSigner: [], isvProdId: 99, minimumIsvSvn: 60000 },
    };
    assert.deepEqual(rules(realSgx(), policy), [
      "allowedResults",
      "toleratedAdvisories",
      "maximumCollateralAge",
      "reportData",
      "sgx.mrEnclave",
      "sgx.mrSigner",
      "sgx.isvProdId",
      "sgx.minimumIsvSvn",
    ]);
  });

  it("compares enclave measurements", () => {
    const result = realSgx();
    assert.ok(result.quote?.body.kind === "sgx");
    const { mrEnclave, mrSigner, isvProdId, isvSvn, reportData } = result.quote.body.report;
    const sgx = { mrEnclave: [new Uint8Array(32), mrEnclave], mrSigner: [mrSigner], isvProdId, minimumIsvSvn: isvSvn };
    assert.deepEqual(rules(result, { allowedResults: ["CONFIG_AND_SW_HARDENING_NEEDED"], reportData, sgx }), []);
  });

  it("compares TD measurements and attributes under their masks", () => {
    const result = resultOf("ok_tdx_v4");
    assert.ok(result.quote?.body.kind === "td-1.0");
    const { mrTd, rtmr, tdAttributes, mrOwner } = result.quote.body.report;
    const ones = new Uint8Array(8).fill(0xff);
    const td = {
      mrTd: [mrTd],
      rtmr: [rtmr[0], undefined, rtmr[2]],
      mrOwner,
      tdAttributes: { mask: ones, value: tdAttributes },
      xfam: { mask: new Uint8Array(8), value: ones },
    };
    assert.deepEqual(rules(result, { td }), []);
    const otherTd = {
      mrTd: [fromHex(`${"00".repeat(47)}77`)],
      rtmr: [undefined, fromHex("77".repeat(48))],
      tdAttributes: { mask: ones, value: fromHex("0100000000000000") },
      xfam: { mask: ones, value: fromHex("ffffffffffffffff") },
    };
    assert.deepEqual(rules(result, { td: otherTd }), ["td.mrTd", "td.rtmr", "td.tdAttributes", "td.xfam"]);
    assert.deepEqual(rules(result, { sgx: {} }), ["sgx"]);
    assert.deepEqual(rules(resultOf("ok_platform"), { td: {} }), ["td"]);
  });

  it("compares the report data with the hash of given bytes", () => {
    const bytes = new TextEncoder().encode("a public key");
    const made = resultOf("ok_platform");
    assert.ok(made.quote?.body.kind === "sgx");
    const { report } = made.quote.body;
    for (const algorithm of ["sha256", "sha384", "sha512"] as const) {
      const reportData = new Uint8Array(64);
      reportData.set(nodeCrypto[algorithm]?.(bytes) as Uint8Array);
      const body = { kind: "sgx" as const, report: { ...report, reportData } };
      const result: VerificationResult = { ...made, quote: { ...made.quote, body } };
      const hashed = (given: Uint8Array): boolean =>
        validate(result, { reportDataHashOf: { algorithm, bytes: given } }, now, nodeCrypto).met;
      assert.equal(hashed(bytes), true, algorithm);
      assert.equal(hashed(bytes.subarray(1)), false, algorithm);
      reportData[63] = (reportData[63] as number) ^ 1;
      assert.equal(hashed(bytes), false, `${algorithm}, last byte`);
    }
  });

  it("compares SVNs and evaluation data numbers of what certified the quote", () => {
    const result = realSgx();
    const found = { tcb: result.supplemental?.tcbEvalRefNumber as number, pce: result.pck?.tcb.pceSvn as number };
    const allowedResults = ["CONFIG_AND_SW_HARDENING_NEEDED"] as const;
    const minimums = (more: number) => ({
      allowedResults,
      minimumTcbEvaluationDataNumber: found.tcb + more,
      minimumQeIsvSvn: more === 0 ? 1 : 0xffff,
      minimumPceSvn: found.pce + more,
    });
    assert.deepEqual(rules(result, minimums(0)), []);
    assert.deepEqual(rules(result, minimums(1)), [
      "minimumTcbEvaluationDataNumber",
      "minimumQeIsvSvn",
      "minimumPceSvn",
    ]);
  });

  it("compares the TDX module, the service TD and every byte of TEE_TCB_SVN", () => {
    const result = resultOf("ok_tdx_v4");
    assert.ok(result.quote?.body.kind === "td-1.0");
    const { mrSeam, teeTcbSvn } = result.quote.body.report;
    assert.deepEqual(rules(result, { td: { mrSeam: [new Uint8Array(48), mrSeam], minimumTeeTcbSvn: teeTcbSvn } }), []);
    for (let i = 0; i < 16; i++) {
      const minimumTeeTcbSvn = teeTcbSvn.map((svn, j) => (i === j ? svn + 1 : 0));
      assert.deepEqual(rules(result, { td: { minimumTeeTcbSvn } }), ["td.minimumTeeTcbSvn"]);
    }
    // A TD report of version 1.0 has no service TD: not even zeros.
    const td = { mrSeam: [new Uint8Array(48).fill(1)], mrServiceTd: new Uint8Array(48) };
    assert.deepEqual(rules(result, { td }), ["td.mrSeam", "td.mrServiceTd"]);
  });

  it("takes any bit of the TD-under-debug group for debug", () => {
    const result = resultOf("ok_tdx_v4");
    assert.ok(result.quote?.body.kind === "td-1.0");
    const decoded = result.quote;
    const { report } = result.quote.body;
    for (let bit = 0; bit < 8; bit++) {
      const tdAttributes = report.tdAttributes.slice();
      tdAttributes[0] = 1 << bit;
      const body = { kind: "td-1.0" as const, report: { ...report, tdAttributes } };
      assert.deepEqual(rules({ ...result, quote: { ...decoded, body } }, {}), ["allowDebug"]);
    }
  });

  it("needs the time for the collateral's age and hash functions for hashes, and nothing else", () => {
    const result = resultOf("ok_platform");
    assert.equal(validate(result, {}).met, true);
    const hashOf = { algorithm: "sha512", bytes: new Uint8Array(0) } as const;
    for (const policy of [{ maximumCollateralAge: 1 }, { reportDataHashOf: hashOf }] satisfies Policy[]) {
      assert.throws(() => validate(result, policy), VerifyError);
    }
    const { sha256, sha384 } = nodeCrypto;
    assert.throws(() => validate(result, { reportDataHashOf: hashOf }, now, { sha256, sha384 }), VerifyError);
  });

  it("refuses a policy that means nothing", () => {
    const result = resultOf("ok_platform");
    for (const policy of [
      { sgx: { mrEnclave: [new Uint8Array(31)] } },
      { allowedResults: ["UNSPECIFIED"] as unknown as ["OK"] },
      { reportData: new Uint8Array(65) },
      { maximumCollateralAge: -1 },
      { minimumPceSvn: 0.5 },
      { allowedPlatforms: ["any"] as unknown as ["other"] },
      { td: { minimumTeeTcbSvn: new Uint8Array(15) } },
      { td: { mrSeam: [new Uint8Array(32)] } },
    ]) {
      assert.throws(
        () => validate(result, policy, now),
        (error) => error instanceof VerifyError && error.code === "POLICY",
      );
    }
  });
});
