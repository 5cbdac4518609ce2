import type { Clock, Random } from "../clock.ts";
import type { CollateralStore, StoredCrl } from "../store/store.ts";
import type { CheckContext, CollateralChecks } from "./checks.ts";
import type { ServiceLimits } from "./limits.ts";
import type { ServiceReport, UpstreamShare } from "./report.ts";
import type { CachingMode } from "./service.ts";
import type { SingleFlight } from "./single-flight.ts";
import type { UpstreamCalls } from "./upstream-calls.ts";

/** What every part of one service works with. */
export interface ServiceContext {
  readonly store: CollateralStore;
  /** Undefined in OFFLINE. */
  readonly upstream: UpstreamCalls | undefined;
  readonly mode: CachingMode;
  readonly checks: CollateralChecks;
  readonly clock: Clock;
  readonly random: Random;
  readonly report: ServiceReport;
  readonly limits: ServiceLimits;
  /** How long past its nextUpdate something is served while nothing newer can be had, milliseconds. */
  readonly staleLimitMs: number;
  /** Where CRLs may be fetched from: `host` or `host:port`. */
  readonly allowedCrlHosts: readonly string[];
  /** The root CA's distribution point, where the upstream does not know it. */
  readonly rootCaCrlUrl: string | undefined;
  /** Work that anybody's requests cause, and work that needs a token: the one cannot crowd the other out. */
  readonly flights: Readonly<Record<UpstreamShare, SingleFlight>>;
  /** Fires when the service closes. */
  readonly ended: AbortSignal;
}

/** What checks of answers go by: the time, and the root CA's CRL where there is one, which then revokes too. */
export async function checkContext(context: ServiceContext): Promise<CheckContext> {
  const now = context.clock.now();
  const root: StoredCrl | undefined = await context.store.rootCaCrl();
  return root === undefined ? { now } : { now, rootCaCrl: root.crl };
}
