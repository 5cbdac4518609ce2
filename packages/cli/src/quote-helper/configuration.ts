import { DEFAULT_LIMITS, type ServerLimits } from "@confcom/aesm";
import { CommandError } from "../command-error.ts";
import { ExitCode } from "../exit-code.ts";
import { readInput } from "../input/read-input.ts";
import type { PccsSettings } from "./provisioning/pccs-settings.ts";

export const LOG_LEVELS = ["fatal", "error", "warn", "info", "debug", "trace", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What a running quote helper takes from its configuration file, again at every SIGHUP. */
export interface Configuration {
  readonly logLevel: LogLevel;
  readonly limits: ServerLimits;
  /** Whether all event loops but the first sleep while that one can cope; taken at start only. */
  readonly spareLoops: boolean;
  /** Who certifies the platform; left out: its own authority. Taken at start only. */
  readonly pccs?: PccsSettings;
}

const PCCS_KEYS = ["url", "root", "ca", "userTokenFile"] as const;

/** Lowest and highest sensible value of each limit. Times in milliseconds, sizes in bytes. */
const LIMIT_RANGES: Readonly<Record<keyof ServerLimits, readonly [number, number]>> = {
  maxMessage: [2048, 16 * 1024 * 1024],
  maxQuoteBuffer: [2048, 16 * 1024 * 1024],
  receiveTimeout: [10, 600_000],
  writeTimeout: [10, 600_000],
  answerTimeout: [10, 600_000],
  maxConnections: [1, 1_000_000],
  maxReceiving: [65_536, 1024 * 1024 * 1024],
  maxWaiting: [1, 100_000],
  concurrency: [1, 1024],
  reportInterval: [0, 3_600_000],
};

const LIMITS_FILE_SIZE = 64 * 1024;

function refuse(path: string, what: string, cause?: unknown): CommandError {
  return new CommandError(
    "CLI_CONFIGURATION",
    `configuration ${path}: ${what}`,
    "docs/command-line.md lists the keys and their ranges; the file is JSON.",
    { exitCode: ExitCode.CONFIGURATION, cause },
  );
}

export function isLogLevel(value: unknown): value is LogLevel {
  return LOG_LEVELS.some((level) => level === value);
}

/**
 * Reads the configuration file, or the defaults without one. The command line's log level, if any, wins. Unknown keys are
 * refused: a misspelt limit would silently not hold. Throws CommandError `CLI_CONFIGURATION`.
 */
export function readConfiguration(path: string | undefined, logLevel: LogLevel | undefined): Configuration {
  if (path === undefined) return { logLevel: logLevel ?? "info", limits: DEFAULT_LIMITS, spareLoops: true };
  const file = parseObject(path);
  let limits: ServerLimits = DEFAULT_LIMITS;
  let fileLevel: LogLevel = "info";
  let spareLoops = true;
  let pccs: PccsSettings | undefined;
  for (const [key, value] of Object.entries(file)) {
    if (key === "logLevel" && isLogLevel(value)) fileLevel = value;
    else if (key === "logLevel") throw refuse(path, `logLevel is one of ${LOG_LEVELS.join(", ")}`);
    else if (key === "spareLoops" && typeof value === "boolean") spareLoops = value;
    else if (key === "spareLoops") throw refuse(path, "spareLoops is true or false");
    else if (key === "pccs") pccs = readPccs(path, value);
    else if (key === "limits") limits = readLimits(path, value);
    else throw refuse(path, `unknown key "${key}"`);
  }
  return { logLevel: logLevel ?? fileLevel, limits, spareLoops, ...(pccs === undefined ? {} : { pccs }) };
}

function parseObject(path: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(readInput(path, "the configuration", LIMITS_FILE_SIZE)));
  } catch (cause) {
    throw refuse(path, cause instanceof Error ? cause.message : String(cause), cause);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw refuse(path, "it is not a JSON object");
  return value as Record<string, unknown>;
}

function readPccs(path: string, value: unknown): PccsSettings {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw refuse(path, "pccs is not an object");
  for (const [key, setting] of Object.entries(value)) {
    if (!PCCS_KEYS.some((known) => known === key)) throw refuse(path, `unknown key "pccs.${key}"`);
    if (typeof setting !== "string" || setting === "") throw refuse(path, `pccs.${key} is a text`);
  }
  return value;
}

function readLimits(path: string, value: unknown): ServerLimits {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw refuse(path, "limits is not an object");
  for (const [key, limit] of Object.entries(value)) {
    const range = LIMIT_RANGES[key as keyof ServerLimits];
    if (range === undefined) throw refuse(path, `unknown limit "${key}"`);
    if (!Number.isSafeInteger(limit) || (limit as number) < range[0] || (limit as number) > range[1]) {
      throw refuse(path, `limits.${key} is a whole number from ${range[0]} to ${range[1]}`);
    }
  }
  return { ...DEFAULT_LIMITS, ...(value as Partial<ServerLimits>) };
}
