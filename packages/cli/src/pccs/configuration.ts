import {
  DEFAULT_HTTP_LIMITS,
  DEFAULT_SERVICE_LIMITS,
  type HttpLimits,
  type ServiceLimits,
} from "@confcom/collateral/service";
import { CommandError } from "../command-error.ts";
import { ExitCode } from "../exit-code.ts";
import { readInput } from "../input/read-input.ts";
import { isLogLevel, LOG_LEVELS, type LogLevel } from "../quote-helper/configuration.ts";
import { PCCS_MODES, type PccsMode } from "./pccs-mode.ts";

/** What `confcom pccs` can be told, on the command line or in its configuration file. */
export interface PccsSettings {
  readonly listen?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly http?: boolean;
  readonly state?: string;
  readonly database?: string;
  readonly mode?: PccsMode;
  readonly upstream?: string;
  readonly upstreamRoot?: readonly string[];
  readonly upstreamCa?: string;
  readonly apiKeyFile?: string;
  readonly userTokenFile?: string;
  readonly adminTokenFile?: string;
  readonly followFiles?: boolean;
  /** Hours. */
  readonly staleLimit?: number;
  /** Hours. */
  readonly refreshInterval?: number;
  readonly healthListen?: string;
  readonly logLevel?: LogLevel;
  /** Beside the upstream's and the roots': `host`, `host:port` or `http://host:port`. */
  readonly crlHosts?: readonly string[];
  readonly httpLimits?: Partial<HttpLimits>;
  readonly serviceLimits?: Partial<ServiceLimits>;
}

/** Hours: over a century, and twenty days: documents live for thirty, and a timer can wait for twenty-four. */
export const MOST_STALE_HOURS = 1_000_000;
export const MOST_REFRESH_HOURS = 480;

const FILE_SIZE = 64 * 1024;
/** Milliseconds that a timer can wait, and a number that no count or rate needs. Sizes in bytes may be larger. */
const MOST = 2 ** 31 - 1;
const MOST_BYTES = 2 ** 40;

type Check = (value: unknown) => string | undefined;

const text: Check = (value) => (typeof value === "string" && value !== "" ? undefined : "a text");
const texts: Check = (value) =>
  Array.isArray(value) && value.every((one) => text(one) === undefined) ? undefined : "a list of texts";
const flag: Check = (value) => (typeof value === "boolean" ? undefined : "true or false");
const oneOf =
  (names: readonly string[]): Check =>
  (value) =>
    names.some((name) => name === value) ? undefined : `one of ${names.join(", ")}`;
const whole =
  (least: number, most: number): Check =>
  (value) =>
    Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most
      ? undefined
      : `a whole number from ${least} to ${most}`;

const KEYS: Readonly<Record<keyof PccsSettings, Check>> = {
  listen: text,
  tlsCert: text,
  tlsKey: text,
  http: flag,
  state: text,
  database: text,
  mode: oneOf(PCCS_MODES),
  upstream: text,
  upstreamRoot: texts,
  upstreamCa: text,
  apiKeyFile: text,
  userTokenFile: text,
  adminTokenFile: text,
  followFiles: flag,
  staleLimit: whole(0, MOST_STALE_HOURS),
  refreshInterval: whole(0, MOST_REFRESH_HOURS),
  healthListen: text,
  logLevel: (value) => (isLogLevel(value) ? undefined : `one of ${LOG_LEVELS.join(", ")}`),
  crlHosts: texts,
  httpLimits: () => undefined,
  serviceLimits: () => undefined,
};

/**
 * Reads the configuration file. Unknown keys are refused: a misspelt limit would silently not hold. Throws CommandError
 * `CLI_CONFIGURATION`, which names the key.
 */
export function readPccsConfiguration(path: string): PccsSettings {
  const file = parseObject(path);
  for (const [key, value] of Object.entries(file)) {
    if (!Object.hasOwn(KEYS, key)) throw refuse(path, `unknown key "${key}"`);
    const wanted = KEYS[key as keyof PccsSettings](value);
    if (wanted !== undefined) throw refuse(path, `${key} is ${wanted}`);
  }
  checkLimits(path, "httpLimits", file.httpLimits, DEFAULT_HTTP_LIMITS);
  checkLimits(path, "serviceLimits", file.serviceLimits, DEFAULT_SERVICE_LIMITS);
  return file;
}

function parseObject(path: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(readInput(path, "the configuration", FILE_SIZE)));
  } catch (cause) {
    throw refuse(path, cause instanceof Error ? cause.message : String(cause), cause);
  }
  if (isObject(value)) return value;
  throw refuse(path, "it is not a JSON object");
}

function checkLimits(path: string, name: string, value: unknown, defaults: object): void {
  if (value === undefined) return;
  if (!isObject(value)) throw refuse(path, `${name} is not an object`);
  for (const [key, limit] of Object.entries(value)) {
    if (!Object.hasOwn(defaults, key)) throw refuse(path, `unknown limit "${name}.${key}"`);
    const wanted = whole(1, BYTES.has(key) ? MOST_BYTES : MOST)(limit);
    if (wanted !== undefined) throw refuse(path, `${name}.${key} is ${wanted}`);
  }
}

const BYTES: ReadonlySet<string> = new Set(["responseCache", "maxPlatformCollateral"] satisfies (keyof HttpLimits)[]);

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function refuse(path: string, what: string, cause?: unknown): CommandError {
  return new CommandError(
    "CLI_CONFIGURATION",
    `configuration ${path}: ${what}`,
    "docs/pccs.md lists the keys; the file is JSON.",
    { exitCode: ExitCode.CONFIGURATION, cause },
  );
}
