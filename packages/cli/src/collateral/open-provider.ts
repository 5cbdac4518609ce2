import { readFileSync } from "node:fs";
import {
  type AnswerCache,
  type Clock,
  type CollateralProvider,
  type CollateralSource,
  createCollateralProvider,
  directoryFiles,
  directorySource,
  httpClient,
  openDiskCache,
  type ProviderEvent,
  pccsSource,
  pcsSource,
  thimSource,
  withBreaker,
  withRetry,
} from "@confcom/collateral";
import type { EffectiveConfiguration, SourceSetting } from "@confcom/collateral/configuration";
import { readInput } from "../input/read-input.ts";
import type { Output } from "../terminal/output.ts";
import { printable } from "../terminal/printable.ts";

const clock: Clock = {
  now: () => Date.now(),
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
};

export interface OpenProvider {
  readonly provider: CollateralProvider;
  close(): void;
}

const KEY_LIMIT = 4096;

/** A provider as the configuration wants it. What it has to put up with (failures, stale answers) is said on standard error. */
export async function openProvider(
  configuration: EffectiveConfiguration,
  trustedRoots: readonly Uint8Array[],
  output: Output,
): Promise<OpenProvider> {
  const ca = configuration.tlsCa.value;
  const tls = ca === undefined ? {} : { ca: new TextDecoder().decode(readInput(ca, "the TLS CA")) };
  const secure = httpClient({ clock, tls });
  const insecure = httpClient({ clock, tls: { insecure: true } });
  const { value: retries } = configuration.retryTimes;
  const around = (source: CollateralSource) =>
    withRetry(withBreaker(source, { clock, random: Math.random }), {
      clock,
      random: Math.random,
      ...(retries === undefined ? {} : { retries }),
      ...(configuration.retryDelayMs.value === 0 ? {} : { delayMs: configuration.retryDelayMs.value }),
    });
  const sources = configuration.sources.flatMap(({ value }) => {
    const serves =
      configuration.pckFromCacheOnly.value && value.kind !== "directory" ? withoutPck(value.serves) : value.serves;
    if (serves === undefined) return [];
    const source = sourceOf({ ...value, serves }, value.secure ? secure : insecure, configuration);
    return [value.cached ? around(source) : notCached(around(source))];
  });
  const cache = await openCache(configuration, output);
  const provider = createCollateralProvider({
    sources,
    trustedRoots,
    clock,
    random: Math.random,
    ...(cache === undefined ? {} : { cache }),
    staleLimitMs: configuration.staleLimitMs.value,
    deadlineMs: configuration.deadlineMs.value,
    pckCacheMs: configuration.pckCacheMs.value,
    collateralCacheMs: configuration.collateralCacheMs.value,
    offline: configuration.offline.value,
    report: (event) => {
      const text = eventText(event);
      if (text !== undefined) output.note(`warning: ${printable(text)}`);
    },
  });
  return {
    provider,
    close() {
      provider.close();
      secure.close();
      insecure.close();
    },
  };
}

function withoutPck(serves: SourceSetting["serves"]): SourceSetting["serves"] | undefined {
  return serves === "pck" ? undefined : "collateral";
}

function sourceOf(
  setting: SourceSetting,
  http: ReturnType<typeof httpClient>,
  configuration: EffectiveConfiguration,
): CollateralSource {
  const { kind, place: baseUrl, serves, custom, azure } = setting;
  switch (kind) {
    case "pcs": {
      const file = configuration.apiKeyFile.value;
      const apiKey = file === undefined ? undefined : () => readFileSync(file, "utf8").slice(0, KEY_LIMIT).trim();
      return pcsSource({ http, baseUrl, serves, ...(apiKey === undefined ? {} : { apiKey }) });
    }
    case "pccs":
      return pccsSource({
        http,
        baseUrl,
        serves,
        apiVersion: configuration.crlForm.value,
        ...(custom === undefined ? {} : { custom }),
      });
    case "thim":
      return thimSource({ http, baseUrl, serves, ...azure });
    case "directory":
      return directorySource({ files: directoryFiles(baseUrl), serves });
  }
}

/** QCNL's local_pck_url: its answers are not kept. */
function notCached(source: CollateralSource): CollateralSource {
  return {
    kind: source.kind,
    name: source.name,
    fetch: async (request, options) => ({ ...(await source.fetch(request, options)), maxAgeMs: 0 }),
  };
}

/** One that was named must be usable; the usual place is only a help. */
async function openCache(
  { cacheDirectory: { value: directory, from } }: EffectiveConfiguration,
  output: Output,
): Promise<AnswerCache | undefined> {
  if (directory === undefined) return undefined;
  try {
    return await openDiskCache({ directory, uid: process.geteuid?.() ?? 0, pid: process.pid, clock });
  } catch (error) {
    if (from.kind === "flag" || !(error instanceof Error)) throw error;
    output.note(`warning: ${printable(error.message)}; nothing is kept`);
    return undefined;
  }
}

function eventText(event: ProviderEvent): string | undefined {
  switch (event.kind) {
    case "stale":
      return `${event.key} from ${event.source} is used although it expired ${Math.ceil(event.expiredForMs / 60_000)} minutes ago`;
    case "failed":
    case "cache-failed":
      return event.message;
    case "cache-refused":
      return `a cached ${event.key} was removed: ${event.message}`;
    case "older":
      return `${event.source} offered an older ${event.key}`;
    default:
      return undefined;
  }
}
