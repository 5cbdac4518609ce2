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
import { HeldWarnings } from "./held-warnings.ts";
import { assertSourceDirectories } from "./source-directories.ts";

export interface OpenProvider {
  readonly provider: CollateralProvider;
  /** `failure`: what the command ends with, if it does. */
  close(failure?: unknown): void;
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
  assertSourceDirectories(configuration);
  const { sources, close } = configuredSources(configuration, SYSTEM_CLOCK);
  const cache = await openCache(configuration, output);
  const warnings = new HeldWarnings(sources.length, (line) => output.note(printable(line)));
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
      if (line !== undefined) warnings.event(event, line);
    },
  });
  return {
    provider,
    close(failure) {
      provider.close();
      close();
      warnings.end(failure);
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
