import { readFileSync } from "node:fs";
import type { Collateral } from "@confcom/sgx";
import { INTEL_SGX_ROOT_KEY, type VerificationTerms } from "@confcom/verify";

const FIXTURES = new URL("../../packages/verify/src/fixtures/real/", import.meta.url);

/** One quote of a real platform with its collateral, at a time when all of it is valid. */
export interface VerificationInput {
  readonly name: string;
  readonly quote: Uint8Array;
  readonly collateral: Collateral;
  readonly terms: VerificationTerms;
}

interface RealCase {
  readonly quote: string;
  readonly collateral: string;
  readonly when: string;
  readonly date: number;
}

const INPUTS = [
  { name: "SGX v3", quote: "sgx_v3_f8b81014b6e4.bin", collateral: "dq_sgx_00a067" },
  { name: "TDX v4", quote: "tdx_v4_f1c850330112.bin", collateral: "dq_tdx_b0c06f" },
] as const;

/** The two quotes that are measured: both verifiers accept both. */
export function readInputs(): readonly VerificationInput[] {
  const read = (path: string): Buffer => readFileSync(new URL(path, FIXTURES));
  const cases = JSON.parse(read("expected.json").toString("utf8")) as RealCase[];
  return INPUTS.map(({ name, quote, collateral }) => {
    const real = cases.find((one) => one.quote === quote && one.collateral === collateral && one.when === "valid");
    if (real === undefined) throw new Error(`${quote} with ${collateral} is not among the fixtures`);
    return {
      name,
      quote: Uint8Array.from(read(`quotes/${quote}`)),
      collateral: JSON.parse(read(`collateral/${collateral}.json`).toString("utf8")) as Collateral,
      terms: { now: new Date(real.date * 1000), trustedRoots: [INTEL_SGX_ROOT_KEY] },
    };
  });
}
