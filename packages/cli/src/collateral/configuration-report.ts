import {
  type CustomRequestOptions,
  durationText,
  type EffectiveConfiguration,
  type GivenSetting,
  hideUserInfo,
  originText,
  type Setting,
} from "@confcom/collateral/configuration";
import { DEFAULT_RETRIES } from "./configured-sources.ts";

/** One value as it is shown: never a secret. */
export interface ShownSetting {
  readonly name: string;
  readonly value: unknown;
  readonly from: string;
}

/**
 * The configuration for people and scripts: what is in force, then every key of qcnl.conf and every AZDCAP variable by its own name as
 * it was given. Values of request headers and parameters are hidden: they may be
 * keys.
 */
export function shownConfiguration(configuration: EffectiveConfiguration): readonly ShownSetting[] {
  const shown = <T>(
    name: string,
    { value, from }: Setting<T>,
    as: (value: T) => unknown = (plain) => plain ?? null,
  ) => ({
    name,
    value: as(value),
    from: originText(from),
  });
  const sources = configuration.sources.map((source, index) =>
    shown(`source ${index + 1}`, source, ({ custom, ...value }) => ({
      ...value,
      place: value.kind === "directory" ? value.place : hideUserInfo(value.place),
      ...(custom === undefined ? {} : { custom: { headers: hidden(custom.headers), params: hidden(custom.params) } }),
    })),
  );
  return [
    ...sources,
    shown("update", configuration.update),
    shown("api version", configuration.apiVersion),
    shown("pccs api version", configuration.crlForm),
    shown("retry times", configuration.retryTimes, (times) => times ?? DEFAULT_RETRIES.retries),
    shown("retry delay", configuration.retryDelayMs, (ms) => durationText(ms === 0 ? DEFAULT_RETRIES.delayMs : ms)),
    shown("pck cache", configuration.pckCacheMs, durationText),
    shown("collateral cache", configuration.collateralCacheMs, durationText),
    shown("cache directory", configuration.cacheDirectory),
    shown("stale limit", configuration.staleLimitMs, durationText),
    shown("deadline", configuration.deadlineMs, durationText),
    shown("offline", configuration.offline),
    shown("pck from cache only", configuration.pckFromCacheOnly),
    shown("tls ca", configuration.tlsCa),
    shown("api key file", configuration.apiKeyFile),
    shown("log level", configuration.logLevel),
    shown("azure log file", configuration.azureLogFile),
    shown("https proxy", configuration.proxies.https, hiddenPassword),
    shown("http proxy", configuration.proxies.http, hiddenPassword),
    shown("no proxy", configuration.proxies.except),
    shown("qcnl.conf", configuration.configurationFile),
    ...configuration.given.map((given) => shown(given.name, given, () => givenValue(given))),
  ];
}

/** A proxy's URL may have a user and password. */
const hiddenPassword = (url: string | undefined) => (url === undefined ? null : hideUserInfo(url));

/** As it was read, but for the values of what is sent with requests. */
function givenValue({ name, value }: GivenSetting): unknown {
  if (name !== "custom_request_options") return typeof value === "string" ? hideUserInfo(value) : value;
  const { headers, params } = value as CustomRequestOptions;
  return { headers: hidden(headers), params: hidden(params) };
}

const hidden = (values: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.keys(values).map((name) => [name, "(hidden)"]));

/** A line for each: name, value, where it came from. */
export function configurationLines(settings: readonly ShownSetting[]): string[] {
  const width = Math.max(...settings.map(({ name }) => name.length));
  return settings.map(({ name, value, from }) => `${name.padEnd(width)}  ${valueText(value)}  (${from})`);
}

function valueText(value: unknown): string {
  if (value === null) return "-";
  if (typeof value !== "object") return String(value);
  return Object.entries(value)
    .map(([key, part]) =>
      key === "kind" || key === "place"
        ? String(part)
        : `${key}=${typeof part === "object" ? JSON.stringify(part) : part}`,
    )
    .join(" ");
}
