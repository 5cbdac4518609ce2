import type { CachingMode, HttpLimits, ServiceLimits } from "@confcom/collateral/service";
import { parseListenAddress } from "@confcom/kubernetes/status";
import { isLogLevel, type LogLevel } from "../quote-helper/configuration.ts";
import { parseInteger, usage } from "../usage-error.ts";
import { MOST_REFRESH_HOURS, MOST_STALE_HOURS, type PccsSettings, readPccsConfiguration } from "./configuration.ts";

/** What the service runs with. */
export interface PccsOptions {
  readonly listen: { readonly host: string; readonly port: number };
  readonly tlsCert: string | undefined;
  readonly tlsKey: string | undefined;
  readonly http: boolean;
  readonly stateDirectory: string;
  readonly database: string | undefined;
  readonly mode: CachingMode;
  readonly upstream: string | undefined;
  readonly upstreamRoot: readonly string[] | undefined;
  readonly upstreamCa: string | undefined;
  readonly apiKeyFile: string | undefined;
  readonly userTokenFile: string | undefined;
  readonly adminTokenFile: string | undefined;
  readonly followFiles: boolean;
  readonly staleLimitMs: number | undefined;
  readonly refreshIntervalMs: number | undefined;
  readonly healthListen: { readonly host: string; readonly port: number } | undefined;
  readonly logLevel: LogLevel;
  readonly jsonReadyLine: boolean;
  readonly crlHosts: readonly string[];
  readonly httpLimits: Partial<HttpLimits>;
  readonly serviceLimits: Partial<ServiceLimits>;
}

/** What the file alone can say, and what the command line's parser leaves as a text. */
type OtherOnCommandLine = "staleLimit" | "refreshInterval" | "logLevel" | "crlHosts" | "httpLimits" | "serviceLimits";

/** As the command line's parser gives them: what was not said is not there. */
export interface PccsCommandOptions extends Omit<PccsSettings, OtherOnCommandLine> {
  readonly config?: string;
  readonly staleLimit?: string;
  readonly refreshInterval?: string;
  readonly logLevel?: string;
  readonly json?: boolean;
}

const MODES = { lazy: "LAZY", req: "REQ", offline: "OFFLINE" } as const;
const HOUR = 3_600_000;

/** The command line before the file before the defaults. Throws CommandError. */
export function pccsOptions(given: PccsCommandOptions): PccsOptions {
  const file = given.config === undefined ? {} : readPccsConfiguration(given.config);
  const settings: PccsSettings = { ...file, ...commandLine(given) };
  const { listen = "127.0.0.1:8081", mode = "lazy", upstream = "intel", healthListen } = settings;
  const { state, database, staleLimit, refreshInterval } = settings;
  if (state === "") throw usage("--state is empty", "pccs");
  if (state === undefined && (database === undefined || upstream === "software")) {
    throw usage("--state says where the service keeps its data", "pccs");
  }
  return {
    listen: address("--listen", listen),
    tlsCert: settings.tlsCert,
    tlsKey: settings.tlsKey,
    http: settings.http === true,
    stateDirectory: state ?? "",
    database,
    mode: MODES[mode],
    upstream: mode === "offline" ? undefined : upstream,
    upstreamRoot: settings.upstreamRoot,
    upstreamCa: settings.upstreamCa,
    apiKeyFile: settings.apiKeyFile,
    userTokenFile: settings.userTokenFile,
    adminTokenFile: settings.adminTokenFile,
    followFiles: settings.followFiles === true,
    staleLimitMs: staleLimit === undefined ? undefined : staleLimit * HOUR,
    refreshIntervalMs: refreshInterval === undefined ? undefined : refreshInterval * HOUR,
    healthListen: healthListen === undefined ? undefined : address("--health-listen", healthListen),
    logLevel: settings.logLevel ?? "info",
    jsonReadyLine: given.json === true,
    crlHosts: settings.crlHosts ?? [],
    httpLimits: settings.httpLimits ?? {},
    serviceLimits: settings.serviceLimits ?? {},
  };
}

function commandLine({ config: _, json: __, ...given }: PccsCommandOptions): PccsSettings {
  const { staleLimit, refreshInterval, logLevel, ...rest } = given;
  const hours = (name: string, text: string, most: number) => parseInteger(text, name, 0, most);
  return {
    ...rest,
    ...(staleLimit === undefined ? {} : { staleLimit: hours("--stale-limit", staleLimit, MOST_STALE_HOURS) }),
    ...(refreshInterval === undefined
      ? {}
      : { refreshInterval: hours("--refresh-interval", refreshInterval, MOST_REFRESH_HOURS) }),
    ...(isLogLevel(logLevel) ? { logLevel } : {}),
  };
}

function address(name: string, text: string) {
  const parsed = parseListenAddress(text);
  if (parsed !== undefined) return parsed;
  throw usage(`${name} takes HOST:PORT, [IPv6]:PORT or :PORT, got "${text}"`, "pccs");
}
