import type { CollateralErrorCode } from "../errors.ts";

/** What a provider does, told as it happens: the application makes logs and metrics of it. No event holds a secret. */
export type ProviderEvent =
  /** Answered from memory or disk. */
  | { readonly kind: "hit"; readonly key: string }
  /** Nothing fresh is held: sources are asked. */
  | { readonly kind: "miss"; readonly key: string }
  /** Answered although past its nextUpdate, by so many milliseconds. */
  | { readonly kind: "stale"; readonly key: string; readonly expiredForMs: number; readonly source: string }
  /** A source answered and the answer passed its checks. */
  | { readonly kind: "fetched"; readonly key: string; readonly source: string; readonly ms: number }
  /** A source could not give it. */
  | {
      readonly kind: "failed";
      readonly key: string;
      readonly source: string;
      readonly code: CollateralErrorCode;
      readonly message: string;
    }
  /** What was held was replaced before it expired. */
  | { readonly kind: "refreshed"; readonly key: string; readonly source: string }
  /** A source offered something older than what is held, which stays. */
  | { readonly kind: "older"; readonly key: string; readonly source: string }
  /** An entry on disk did not pass the checks and was removed. */
  | { readonly kind: "cache-refused"; readonly key: string; readonly message: string }
  /** The cache on disk failed; answers go on without it. */
  | { readonly kind: "cache-failed"; readonly message: string };

export type ReportEvent = (event: ProviderEvent) => void;
