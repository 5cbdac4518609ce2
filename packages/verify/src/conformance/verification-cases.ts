import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import type { Collateral } from "@confcom/sgx";
import type { VerificationResult } from "../result.ts";

/** One labelled case of the vectors. */
export interface VerificationCase {
  readonly name: string;
  /** Seconds since 1970. */
  readonly date: number;
  /** Base64. */
  readonly quote: string;
  readonly collateral: Collateral;
  /** PEM. */
  readonly trustedRoot: string;
  readonly expected: {
    readonly ret: string;
    readonly result: string;
    readonly collateralExpired: 0 | 1;
    readonly advisories: string | null;
    readonly tcbLevelDateTag: number | null;
  };
}

export function readGzipLines<T>(name: string): T[] {
  const text = gunzipSync(readFileSync(new URL(`../fixtures/${name}`, import.meta.url))).toString("utf8");
  return text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as T);
}

/** What is compared with the label, in the label's spelling. */
export function summary(result: VerificationResult) {
  return {
    ret: `0x${result.ret.toString(16).padStart(4, "0")}`,
    result: result.result,
    collateralExpired: result.collateralExpired ? 1 : 0,
    advisories: result.supplemental?.advisoryList ?? null,
    tcbLevelDateTag: result.supplemental?.tcbLevelDateTag ?? null,
  };
}
