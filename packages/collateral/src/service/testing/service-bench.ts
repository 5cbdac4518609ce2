import { createHash } from "node:crypto";
import type { PckCertificateRequest } from "../../request.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import { type CollateralServiceOptions, createCollateralService } from "../create-service.ts";
import type { ServiceEvent } from "../report.ts";
import type { CachingMode, CollateralService, PlatformRegistration } from "../service.ts";
import { ServiceRefusal } from "../status.ts";
import { MemoryStore } from "./memory-store.ts";
import { DOUBLE_CHECKS, UpstreamDouble } from "./upstream-double.ts";

export const PPID = "A1".repeat(384);

/** A service over a store in memory and an upstream double, with a clock that the test moves. */
export interface ServiceBench {
  readonly service: CollateralService;
  readonly store: MemoryStore;
  readonly upstream: UpstreamDouble;
  readonly clock: ManualClock;
  readonly events: readonly ServiceEvent[];
}

export function serviceBench(
  mode: CachingMode,
  options: Partial<CollateralServiceOptions> & { readonly beside?: ServiceBench } = {},
): ServiceBench {
  const { beside, ...overrides } = options;
  const clock = beside?.clock ?? new ManualClock();
  const store = beside?.store ?? new MemoryStore(clock);
  const upstream = beside?.upstream ?? new UpstreamDouble(() => clock.now());
  const events: ServiceEvent[] = [];
  const service = createCollateralService({
    store,
    upstream,
    mode,
    checks: DOUBLE_CHECKS,
    clock,
    random: () => 0.5,
    sha384: (text) => createHash("sha384").update(text).digest("hex"),
    report: (event) => events.push(event),
    refreshIntervalMs: 0,
    readPlatformCollateral: () => [],
    ...overrides,
  });
  return { service, store, upstream, clock, events };
}

export function pckcert(n: number, changes: Partial<PckCertificateRequest> = {}): PckCertificateRequest {
  return {
    kind: "pck-certificate",
    qeId: n.toString(16).padStart(32, "0").toUpperCase(),
    pceId: "0000",
    cpuSvn: "05".repeat(16),
    pceSvn: "0D00",
    encryptedPpid: n.toString(16).padStart(16, "0").toUpperCase() + PPID.slice(16),
    ...changes,
  };
}

export function registrationOf(n: number, changes: Partial<PlatformRegistration> = {}): PlatformRegistration {
  const { qeId, pceId, cpuSvn, pceSvn, encryptedPpid = "" } = pckcert(n);
  return { qeId, pceId, cpuSvn, pceSvn, encryptedPpid, platformManifest: "", ...changes };
}

/** 200, or the status of the refusal. */
export async function statusOf(work: () => unknown): Promise<number> {
  try {
    await work();
    return 200;
  } catch (error) {
    if (error instanceof ServiceRefusal) return error.status;
    throw error;
  }
}
