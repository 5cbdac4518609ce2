import type { Collateral } from "@confcom/sgx";

/** What the page is asked to verify. Bytes are base64. */
export interface PageQuestion {
  readonly quote: string;
  readonly collateral: Collateral;
  readonly trustedRoot: string;
  /** Seconds since 1970. */
  readonly now: number;
}

/** What came out, in the words of a verification result. */
export interface PageAnswer {
  readonly ret: number;
  readonly result: string;
  readonly reason: string;
  readonly collateralExpired: boolean;
  readonly advisories: readonly string[];
  readonly advisoryList: string | undefined;
  /** Name, status and finding of every step. */
  readonly steps: readonly string[];
  readonly warnings: readonly string[];
}

/** What the page sends back: the answers, or why there are none. */
export interface PageReport {
  readonly answers: readonly PageAnswer[];
  readonly error: string | undefined;
  readonly userAgent: string;
}
