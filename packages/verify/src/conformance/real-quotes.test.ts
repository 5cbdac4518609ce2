import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { decodeQuote } from "@confcom/sgx";
import { type Collateral, INTEL_SGX_ROOT_KEY, verifyQuote } from "../index.ts";
import { nodeCrypto } from "../node-crypto.ts";
import { summary } from "./verification-cases.ts";

interface RealCase {
  readonly quote: string;
  readonly collateral: string;
  readonly when: string;
  readonly date: number;
  readonly intel: { readonly ret: string; readonly qv: string; readonly expired: 0 | 1; readonly sa: string | null };
}

function fixture(path: string): Buffer {
  return readFileSync(new URL(`../fixtures/real/${path}`, import.meta.url));
}

const cases = JSON.parse(fixture("expected.json").toString("utf8")) as RealCase[];

describe("quotes from real platforms, at three dates each", () => {
  for (const real of cases) {
    it(`${real.quote} with ${real.collateral}, ${real.when}`, () => {
      const collateral = JSON.parse(fixture(`collateral/${real.collateral}.json`).toString("utf8")) as Collateral;
      const options = { now: new Date(real.date * 1000), trustedRoots: [INTEL_SGX_ROOT_KEY], crypto: nodeCrypto };
      const result = verifyQuote(fixture(`quotes/${real.quote}`), collateral, options);
      const { ret, result: verdict, collateralExpired, advisories } = summary(result);
      const { intel } = real;
      assert.deepEqual([ret, verdict, collateralExpired, advisories], [intel.ret, intel.qv, intel.expired, intel.sa]);
      assert.equal(result.platform, "hardware");
    });
  }

  it("includes the ones without public collateral only as quotes that decode", () => {
    assert.equal(decodeQuote(fixture("quotes/tdx_v4_aa2cafadb32b.bin")).header.version, 4);
    assert.equal(cases.length, 36);
  });
});
