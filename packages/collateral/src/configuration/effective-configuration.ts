import { CollateralError } from "../errors.ts";
import type { ApiVersion, TcbUpdate } from "../request.ts";
import { type AzdcapVariables, readAzdcapVariables } from "./azdcap-variables.ts";
import { cacheDirectory } from "./cache-directory.ts";
import { parseDuration } from "./duration.ts";
import { type FoundConf, findQcnlConf } from "./find-qcnl-conf.ts";
import { orderedSources } from "./ordered-sources.ts";
import { type ProxySettings, readProxyVariables } from "./proxy-variables.ts";
import type { QcnlConf } from "./qcnl-conf.ts";
import { firstOf, type Setting, setting } from "./setting.ts";
import type { SourceSetting } from "./source-setting.ts";

/** What a command line may say; each wins over everything else. */
export interface ConfigurationFlags {
  /** URLs and paths, in the order in which they are asked; instead of everything that is configured elsewhere. */
  readonly source?: readonly string[];
  /** A PCCS; the same as one more `source` at the front. */
  readonly pccsUrl?: string;
  readonly insecure?: boolean;
  /** PEM of the CAs that TLS certificates of sources are checked against. */
  readonly tlsCa?: string;
  readonly apiKeyFile?: string;
  /** A directory, or `none`. */
  readonly cache?: string;
  /** `7d`, `unlimited`... */
  readonly staleLimit?: string;
  readonly deadline?: string;
  readonly offline?: boolean;
  readonly update?: TcbUpdate;
}

export interface ConfigurationInput {
  readonly flags: ConfigurationFlags;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** At most `limit` + 1 bytes of a file; undefined if it is not there. What it throws becomes the cause of CONFIGURATION. */
  readonly readFile: (path: string, limit: number) => Uint8Array | undefined;
}

/** INFO: everything that is asked and answered; WARNING: what is out of order; ERROR: failures alone. */
export type LogLevel = "INFO" | "WARNING" | "ERROR";

/** Everything that decides where collateral comes from and how long it is kept, each with where it came from. */
export interface EffectiveConfiguration {
  /** In the order in which they are asked. */
  readonly sources: readonly Setting<SourceSetting>[];
  readonly update: Setting<TcbUpdate>;
  /** Version of the API, thus of TCB info: 4 unless the URL of the collateral says v3. */
  readonly apiVersion: Setting<ApiVersion>;
  /** QCNL's pccs_api_version: how a PCCS is asked for CRLs. */
  readonly crlForm: Setting<"3.0" | "3.1">;
  /** Attempts after the first, of each source; undefined: what the time allows. */
  readonly retryTimes: Setting<number | undefined>;
  /** Milliseconds between attempts; 0: 1 s, 2 s, 4 s... */
  readonly retryDelayMs: Setting<number>;
  readonly pckCacheMs: Setting<number>;
  readonly collateralCacheMs: Setting<number>;
  /** Undefined: in memory only. */
  readonly cacheDirectory: Setting<string | undefined>;
  readonly staleLimitMs: Setting<number>;
  readonly deadlineMs: Setting<number>;
  /** True: nothing is asked, the cache answers. */
  readonly offline: Setting<boolean>;
  /** True: PCK certificates come from cache and directories only (QCNL's local_cache_only). */
  readonly pckFromCacheOnly: Setting<boolean>;
  readonly proxies: ProxySettings;
  readonly tlsCa: Setting<string | undefined>;
  readonly apiKeyFile: Setting<string | undefined>;
  /** AZDCAP_DEBUG_LOG_LEVEL: what is said on standard error. Default WARNING. */
  readonly logLevel: Setting<LogLevel>;
  /** AZDCAP_WRITE_LOGS_TO_FILE as it is set; nothing is written there. */
  readonly azureLogFile: Setting<string | undefined>;
  /** The qcnl.conf that was read; undefined if there is none. */
  readonly configurationFile: Setting<string | undefined>;
  /** Every key of that file and every AZDCAP variable that could be used, as it was read, whether something else wins over it or not. */
  readonly given: readonly GivenSetting[];
  /** What was found and ignored. */
  readonly warnings: readonly string[];
}

const HOUR = 3_600_000;
/** What Intel's own qcnl.conf names as its default. */
const DEFAULT_CACHE_HOURS = 168;

/**
 * What is in force: command line, then AZDCAP variables, then qcnl.conf (QCNL_CONF_PATH or /etc/sgx_default_qcnl.conf), then defaults.
 * Sources are one list: those of the command line alone, if it names any; else Azure's where a variable asks for
 * them, followed by the file's; else Intel's PCS. Throws CollateralError CONFIGURATION.
 *
 * What differs from Intel's providers, on purpose: without any configuration Intel's PCS is asked for collateral rather than a PCCS on
 * localhost; TLS of Azure is never unchecked; a base URL that lacks its last slash gets it; the whole answer has one deadline whatever
 * the retries; nothing is cached in /tmp; names that cannot be used are said, not passed over.
 */
export function effectiveConfiguration({ flags, env, readFile }: ConfigurationInput): EffectiveConfiguration {
  const warnings: string[] = [];
  const warn = (text: string) => {
    if (warnings.length < 64) warnings.push(text);
  };
  const azure = readAzdcapVariables(env, warn);
  const file = findQcnlConf(env, readFile, warn);
  const from = <T>(key: keyof QcnlConf, value: (conf: QcnlConf) => T | undefined): Setting<T> | undefined => {
    const found = file === undefined ? undefined : value(file.conf);
    return found === undefined || file === undefined
      ? undefined
      : setting(found, { kind: "file", path: file.path, key });
  };
  const flag = <T>(name: string, value: T | undefined): Setting<T> | undefined =>
    value === undefined ? undefined : setting(value, { kind: "flag", name });
  const sources = orderedSources(flags, azure, file, env);
  const lifetime = (key: "pck_cache_expire_hours" | "verify_collateral_cache_expire_hours") =>
    capped(
      firstOf(
        [
          from(key, (conf) => {
            const hours = conf[key];
            return hours === undefined ? undefined : hours * HOUR;
          }),
        ],
        DEFAULT_CACHE_HOURS * HOUR,
      ),
      azure,
    );
  return {
    sources,
    update: firstOf(
      [flag("--update", flags.update), from("tcb_update_type", (conf) => conf.tcb_update_type)],
      "standard",
    ),
    apiVersion: apiVersion(sources),
    crlForm: firstOf([from("pccs_api_version", (conf) => conf.pccs_api_version)], "3.0"),
    retryTimes: firstOf<number | undefined>([from("retry_times", (conf) => conf.retry_times)], undefined),
    retryDelayMs: firstOf(
      [from("retry_delay", (conf) => (conf.retry_delay === undefined ? undefined : conf.retry_delay * 1000))],
      0,
    ),
    pckCacheMs: lifetime("pck_cache_expire_hours"),
    collateralCacheMs: lifetime("verify_collateral_cache_expire_hours"),
    cacheDirectory: cacheDirectory(flags.cache, env),
    staleLimitMs: firstOf(
      [
        flag(
          "--stale-limit",
          flags.staleLimit === undefined ? undefined : parseDuration(flags.staleLimit, "--stale-limit"),
        ),
        flag("--offline", flags.offline === true ? Number.POSITIVE_INFINITY : undefined),
      ],
      7 * 24 * HOUR,
    ),
    deadlineMs: firstOf([flag("--deadline", deadline(flags.deadline))], 20_000),
    offline: firstOf([flag("--offline", flags.offline)], false),
    pckFromCacheOnly: firstOf([from("local_cache_only", (conf) => conf.local_cache_only)], false),
    proxies: readProxyVariables(env, warn),
    tlsCa: firstOf<string | undefined>([flag("--tls-ca", flags.tlsCa)], undefined),
    apiKeyFile: firstOf<string | undefined>([flag("--api-key-file", flags.apiKeyFile)], undefined),
    logLevel: fromVariable(azure, "AZDCAP_DEBUG_LOG_LEVEL") ?? setting("WARNING"),
    azureLogFile: fromVariable(azure, "AZDCAP_WRITE_LOGS_TO_FILE") ?? setting(undefined),
    configurationFile: configurationFile(env, file),
    given: given(azure, file),
    warnings,
  };
}

/** One key or variable under its own name. */
export interface GivenSetting extends Setting<unknown> {
  readonly name: string;
}

function configurationFile(env: ConfigurationInput["env"], file: FoundConf | undefined): Setting<string | undefined> {
  const named = (env.QCNL_CONF_PATH ?? "") !== "";
  return setting(file?.path, named ? { kind: "variable", name: "QCNL_CONF_PATH" } : { kind: "default" });
}

function given(azure: AzdcapVariables, file: FoundConf | undefined): GivenSetting[] {
  const variables = Object.entries(azure).map(([name, value]) => ({
    name,
    ...setting<unknown>(value, { kind: "variable", name }),
  }));
  if (file === undefined) return variables;
  const { format: _, ...keys } = file.conf;
  const { path } = file;
  const entries = Object.entries(keys).map(([key, value]) => ({
    name: key,
    ...setting<unknown>(value, { kind: "file", path, key }),
  }));
  return [...variables, ...entries];
}

function apiVersion(sources: readonly Setting<SourceSetting>[]): Setting<ApiVersion> {
  const source = sources.find(({ value }) => value.serves !== "pck" && value.kind !== "directory");
  if (source === undefined) return setting(4);
  const { kind, place, azure } = source.value;
  const three = kind === "thim" ? azure !== undefined && azure.version !== "v4" : /\/v3\/$/.test(place);
  return setting(three ? 3 : 4, source.from);
}

/** AZDCAP_CACHE_EXPIRY_IN_SECONDS is a cap on whatever else holds. */
function capped(lifetime: Setting<number>, azure: AzdcapVariables): Setting<number> {
  const seconds = azure.AZDCAP_CACHE_EXPIRY_IN_SECONDS;
  if (seconds === undefined || seconds * 1000 >= lifetime.value) return lifetime;
  return setting(seconds * 1000, { kind: "variable", name: "AZDCAP_CACHE_EXPIRY_IN_SECONDS" });
}

/** The time in which AESM's own client gives up bounds what is worth waiting for; 10 minutes is for people. */
function deadline(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = parseDuration(text, "--deadline");
  if (ms < 1000 || ms > 600_000) throw new CollateralError("CONFIGURATION", "--deadline takes 1s to 10m");
  return ms;
}

function fromVariable<N extends keyof AzdcapVariables>(
  azure: AzdcapVariables,
  name: N,
): Setting<NonNullable<AzdcapVariables[N]>> | undefined {
  const value = azure[name];
  return value === undefined
    ? undefined
    : setting(value as NonNullable<AzdcapVariables[N]>, { kind: "variable", name });
}
