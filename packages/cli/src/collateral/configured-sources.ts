import {
  azureRegion,
  type Clock,
  type CollateralSource,
  directoryFiles,
  directorySource,
  type HttpClient,
  httpClient,
  pccsSource,
  pcsSource,
  qcnlFilesSource,
  thimSource,
  thimSourceWithRegion,
  withBreaker,
  withRetry,
} from "@confcom/collateral";
import {
  type EffectiveConfiguration,
  httpProxies,
  isLinkLocal,
  type SourceSetting,
} from "@confcom/collateral/configuration";
import { readInput } from "../input/read-input.ts";

export interface ConfiguredSources {
  readonly sources: readonly CollateralSource[];
  close(): void;
}

/** Where no configuration says otherwise. */
export const DEFAULT_RETRIES = { retries: 3, delayMs: 200 } as const;

/** az-dcap-client leaves the instance's agent alone for so long after it failed (spec: DCAP §14). */
const AGENT_PAUSE_MS = 30_000;

/** The sources of a configuration, each with its retries and its breaker, over clients that share connections. */
export function configuredSources(configuration: EffectiveConfiguration, clock: Clock): ConfiguredSources {
  const file = configuration.tlsCa.value;
  const ca = file === undefined ? {} : { ca: readText(file, "the TLS CA") };
  const proxies = httpProxies(configuration.proxies);
  const clients = {
    secure: httpClient({ clock, proxies, tls: ca }),
    insecure: httpClient({ clock, proxies, tls: { insecure: true } }),
    // No proxy leads to the machine's own link, and what answers there may know secrets of the instance.
    direct: httpClient({ clock, tls: ca }),
  };
  const sources = configuration.sources.flatMap(({ value }) => {
    const serves = configuration.pckFromCacheOnly.value && !isOfFiles(value) ? withoutPck(value.serves) : value.serves;
    if (serves === undefined) return [];
    const { direct, secure, insecure } = clients;
    const http = isLinkLocal(value.place) ? direct : value.secure ? secure : insecure;
    const source = around(
      sourceOf({ ...value, serves }, { http, direct }, configuration, clock),
      value,
      configuration,
      clock,
    );
    return [value.cached ? source : notCached(source)];
  });
  return {
    sources,
    close() {
      for (const client of Object.values(clients)) client.close();
    },
  };
}

/** 256 KiB: the CAs of a whole company; a key has some dozen bytes. */
const TEXT_LIMIT = 256 * 1024;

function readText(path: string, what: string): string {
  return new TextDecoder().decode(readInput(path, what, TEXT_LIMIT));
}

const isOfFiles = ({ kind }: SourceSetting) => kind === "directory" || kind === "qcnl-files";

function withoutPck(serves: SourceSetting["serves"]): SourceSetting["serves"] | undefined {
  return serves === "pck" ? undefined : "collateral";
}

/** Azure's agent answers at once or not at all: the cache is asked next, and the agent not before half a minute is over. */
function around(
  source: CollateralSource,
  { kind, place }: SourceSetting,
  { retryTimes: { value: retries }, retryDelayMs: { value: delayMs } }: EffectiveConfiguration,
  clock: Clock,
): CollateralSource {
  const random = Math.random;
  if (kind === "thim" && place.includes("/metadata/")) {
    return withBreaker(source, { clock, random, failures: 1, openMs: AGENT_PAUSE_MS, longestMs: AGENT_PAUSE_MS });
  }
  return withRetry(withBreaker(source, { clock, random }), {
    clock,
    random,
    retries: retries ?? DEFAULT_RETRIES.retries,
    delayMs: delayMs === 0 ? DEFAULT_RETRIES.delayMs : delayMs,
  });
}

function sourceOf(
  { kind, place: baseUrl, serves, custom, azure }: SourceSetting,
  { http, direct }: { readonly http: HttpClient; readonly direct: HttpClient },
  configuration: EffectiveConfiguration,
  clock: Clock,
): CollateralSource {
  switch (kind) {
    case "pcs": {
      const file = configuration.apiKeyFile.value;
      const apiKey = file === undefined ? undefined : () => readText(file, "the API key").trim();
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
    case "thim": {
      if (azure === undefined || azure.tdxUrl !== undefined) return thimSource({ http, baseUrl, serves, ...azure });
      const region = (signal: AbortSignal) => azureRegion(direct, signal);
      return thimSourceWithRegion({ http, baseUrl, serves, ...azure, region });
    }
    case "directory":
      return directorySource({ files: directoryFiles(baseUrl), serves });
    case "qcnl-files":
      return qcnlFilesSource({ files: directoryFiles(baseUrl), clock });
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
