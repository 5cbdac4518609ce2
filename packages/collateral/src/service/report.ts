import type { CollateralErrorCode } from "../errors.ts";
import type { CollateralRequest } from "../request.ts";
import type { PccsStatus } from "./status.ts";

/** What the service tells its operator while it works: metrics and log are made from it. Without secrets and encrypted PPIDs. */

export type CollateralKind = CollateralRequest["kind"];
export type UpstreamOperation = CollateralKind | "pck-certificates";
/** Whose upstream calls these are: anybody's misses, or what needs a token (registration, refresh). */
export type UpstreamShare = "misses" | "trusted";

export type ServiceEvent =
  /** Answered from the store. */
  | { readonly event: "hit"; readonly kind: CollateralKind; readonly stale: boolean }
  /** Not in the store, or past its nextUpdate there: the upstream is asked, in the modes that may. */
  | { readonly event: "miss"; readonly kind: CollateralKind }
  /** Refused without asking: the upstream said no a moment ago. */
  | { readonly event: "negative-hit"; readonly kind: CollateralKind; readonly status: PccsStatus }
  /** One call of the upstream, its retries included. `ok`, or why it failed. */
  | {
      readonly event: "upstream";
      readonly operation: UpstreamOperation;
      readonly source: string;
      readonly share: UpstreamShare;
      readonly outcome: "ok" | CollateralErrorCode;
      readonly durationMs: number;
      /** Of a failure: what happened, in words. */
      readonly reason?: string;
    }
  /** The upstream was spared: 503 with Retry-After went out instead. */
  | {
      readonly event: "budget-refused";
      readonly share: UpstreamShare;
      readonly limit: "rate" | "concurrency" | "waiting";
      readonly retryAfterMs: number;
    }
  /** A document that was checked and stored: its age and time left. Milliseconds since 1970. */
  | {
      readonly event: "document";
      /** Of {@link requestKey}. */
      readonly key: string;
      readonly kind: CollateralKind;
      readonly issued: number;
      readonly nextUpdate: number;
    }
  /** A long round of refresh goes on: what was done since the last such event, and altogether. */
  | {
      readonly event: "refresh-progress";
      readonly refreshed: number;
      readonly failed: number;
      readonly seen: number;
    }
  /** A round of refresh ended, or was left to another replica. */
  | {
      readonly event: "refresh";
      readonly what: "documents" | "certificates";
      readonly trigger: "schedule" | "request";
      readonly outcome: "ok" | "failed" | "elsewhere";
      readonly refreshed: number;
      readonly failed: number;
      readonly durationMs: number;
      /** Of the first failure. */
      readonly reason?: string;
    }
  /** A platform was registered, or waits in the queue. */
  | { readonly event: "registered"; readonly outcome: "cached" | "fetched" | "queued"; readonly fmspc?: string };

/** Called in the middle of the work: returns at once and never throws. */
export type ServiceReport = (event: ServiceEvent) => void;
