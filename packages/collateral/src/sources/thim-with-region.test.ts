import assert from "node:assert/strict";
import { test } from "node:test";
import { CollateralError } from "../errors.ts";
import type { HttpClient, HttpRequest } from "../http/index.ts";
import { thimSourceWithRegion } from "./thim-with-region.ts";

const TDX = { kind: "tcb-info", tee: "tdx", fmspc: "C0FC0A000000", update: "standard", version: 4 } as const;
const { signal } = new AbortController();

function setUp(region: () => Promise<string>) {
  const asked: string[] = [];
  const http: HttpClient = {
    clock: { now: () => 0, setTimeout: () => 0, clearTimeout: () => {} },
    fetchBytes: async ({ url }: HttpRequest) => {
      asked.push(url);
      return { status: 404, headers: {}, body: new Uint8Array(0) };
    },
    close: () => {},
  };
  const source = thimSourceWithRegion({
    http,
    baseUrl: "https://global.acccache.azure.net/sgx/certification/",
    tdxSuffix: ".thim.azure.net/sgx/certification",
    region,
  });
  return { source, asked };
}

test("TDX collateral is asked of the region's cache, the region once; SGX collateral needs none", async () => {
  let lookups = 0;
  const { source, asked } = setUp(async () => {
    lookups++;
    return "westeurope";
  });
  await assert.rejects(source.fetch({ ...TDX, tee: "sgx" }, { signal }), { code: "NOT_FOUND" });
  assert.equal(lookups, 0);
  for (let i = 0; i < 2; i++) await assert.rejects(source.fetch(TDX, { signal }), { code: "NOT_FOUND" });
  assert.equal(lookups, 1);
  assert.match(asked[0] as string, /^https:\/\/global\.acccache\.azure\.net\/sgx\/certification\/v4\/tcb\?/);
  assert.match(asked[1] as string, /^https:\/\/westeurope\.thim\.azure\.net\/tdx\/certification\/v4\/tcb\?/);
});

test("where the instance does not say its region: NOT_FOUND with the reason, and it is asked again the next time", async () => {
  let known = false;
  const { source, asked } = setUp(async () => {
    if (!known) throw new CollateralError("SOURCE_UNREACHABLE", "no route to 169.254.169.254");
    return "westeurope";
  });
  await assert.rejects(source.fetch(TDX, { signal }), (error) => {
    assert.ok(error instanceof CollateralError);
    assert.equal(error.code, "NOT_FOUND");
    assert.match(error.message, /AZDCAP_REGION_URL.*no route/);
    return true;
  });
  assert.deepEqual(asked, []);
  known = true;
  await assert.rejects(source.fetch(TDX, { signal }), /404/);
  assert.equal(asked.length, 1);
});
