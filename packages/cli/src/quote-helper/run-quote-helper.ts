import { type RunningServer, serve } from "@confcom/aesm";
import { openPlatform } from "@confcom/quoting";
import type { CpuProfile, CpuSvnName } from "@confcom/quoting/software";
import type { Output } from "../terminal/output.ts";
import { type LogLevel, readConfiguration } from "./configuration.ts";
import { createLog, logServerEvent } from "./log.ts";
import { openState, systemRandom } from "./state.ts";

export interface QuoteHelperOptions {
  readonly socketPath: string;
  readonly stateDirectory: string;
  readonly platform: string;
  readonly profile: CpuProfile | undefined;
  readonly cpuSvn: CpuSvnName;
  readonly workers: number;
  readonly takeover: boolean;
  readonly configurationPath: string | undefined;
  readonly logLevel: LogLevel | undefined;
  readonly jsonReadyLine: boolean;
}

export async function runQuoteHelper(options: QuoteHelperOptions, output: Output): Promise<void> {
  const configuration = readConfiguration(options.configurationPath, options.logLevel);
  const log = createLog(configuration.logLevel);
  const platform = await openPlatform({
    name: options.platform,
    state: openState(options.stateDirectory, (text) => log.warn(text)),
    ...(options.profile === undefined ? {} : { profile: options.profile }),
    cpuSvn: options.cpuSvn,
    now: () => new Date(),
    random: systemRandom,
    warn: (text) => log.warn(text),
  });
  const running: RunningServer = await serve({
    platform,
    limits: configuration.limits,
    log: (event) => logServerEvent(log, event),
    socketPath: options.socketPath,
    takeover: options.takeover,
  });
  process.on("SIGTERM", () => void running.close());
  process.on("SIGINT", () => void running.close());
  if (options.jsonReadyLine) output.jsonLine({ ready: true, workers: 1, platform: "software" });
  else output.line("ready");
  await running.closed;
}
