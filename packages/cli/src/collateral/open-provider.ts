import {
  type AnswerCache,
  type CollateralProvider,
  createCollateralProvider,
  openDiskCache,
} from "@confcom/collateral";
import type { EffectiveConfiguration } from "@confcom/collateral/configuration";
import { SYSTEM_CLOCK } from "../system-clock.ts";
import type { Output } from "../terminal/output.ts";
import { printable } from "../terminal/printable.ts";
import { configuredSources } from "./configured-sources.ts";
import { eventLine } from "./event-line.ts";

export interface OpenProvider {
  readonly provider: CollateralProvider;
  close(): void;
}

/**
 * A provider as the configuration wants it. What it has to put up with (failures, stale answers) is said on standard error, as far as
 * AZDCAP_DEBUG_LOG_LEVEL wants it said.
 */
export async function openProvider(
  configuration: EffectiveConfiguration,
  trustedRoots: readonly Uint8Array[],
  output: Output,
): Promise<OpenProvider> {
  const { sources, close } = configuredSources(configuration, SYSTEM_CLOCK);
  const cache = await openCache(configuration, output);
  const provider = createCollateralProvider({
    sources,
    trustedRoots,
    clock: SYSTEM_CLOCK,
    random: Math.random,
    ...(cache === undefined ? {} : { cache }),
    staleLimitMs: configuration.staleLimitMs.value,
    deadlineMs: configuration.deadlineMs.value,
    pckCacheMs: configuration.pckCacheMs.value,
    collateralCacheMs: configuration.collateralCacheMs.value,
    offline: configuration.offline.value,
    report: (event) => {
      const line = eventLine(event, configuration.logLevel.value);
      if (line !== undefined) output.note(printable(line));
    },
  });
  return {
    provider,
    close() {
      provider.close();
      close();
    },
  };
}

/** One that was named must be usable; the usual place is only a help. */
async function openCache(
  { cacheDirectory: { value: directory, from } }: EffectiveConfiguration,
  output: Output,
): Promise<AnswerCache | undefined> {
  if (directory === undefined) return undefined;
  try {
    return await openDiskCache({ directory, uid: process.geteuid?.() ?? 0, pid: process.pid, clock: SYSTEM_CLOCK });
  } catch (error) {
    if (from.kind === "flag" || !(error instanceof Error)) throw error;
    output.note(`warning: ${printable(error.message)}; nothing is kept`);
    return undefined;
  }
}
