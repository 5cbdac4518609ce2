import { ApiClient } from "@confcom/kubernetes/api";
import { type ListenAddress, type ProcessFigures, startStatusServer, type Verdict } from "@confcom/kubernetes/status";
import { urlOf } from "../device-plugin/node-options.ts";
import { StopSignals } from "../device-plugin/stop-signals.ts";
import type { LogLevel } from "../quote-helper/configuration.ts";
import { createLog } from "../quote-helper/log.ts";
import { SYSTEM_CLOCK } from "../system-clock.ts";
import type { Output } from "../terminal/output.ts";
import { VERSION } from "../version.ts";
import { type CredentialFiles, readCredentials } from "./credentials.ts";

export interface CompanionCommand extends CredentialFiles {
  readonly apiServer: URL;
  readonly listen: ListenAddress;
  readonly logLevel: LogLevel;
  readonly jsonReadyLine: boolean;
}

/** What follows another process of its pod and tells the cluster about it. */
export interface Companion<Report> {
  /** Until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
  report(): Report;
  healthy(): Verdict;
  ready(): Verdict;
}

interface CompanionParts<Report extends object> {
  /** To the API server: `confcom-NAME/VERSION`. */
  readonly name: string;
  make(api: ApiClient, log: ReturnType<typeof createLog>): Companion<Report>;
  metrics(report: Report, figures: ProcessFigures): Promise<string>;
  /** In `/status`, before the report. */
  readonly facts?: Readonly<Record<string, string>>;
  /** The ready line for people. */
  greeting(url: string): string;
}

/** A companion with its status server, until the process is told to stop. */
export async function runCompanion<Report extends object>(
  command: CompanionCommand,
  parts: CompanionParts<Report>,
  output: Output,
): Promise<void> {
  const log = createLog(command.logLevel);
  const signals = new StopSignals();
  const startedAt = SYSTEM_CLOCK.now();
  const api = new ApiClient({
    server: command.apiServer,
    credentials: () => readCredentials(command),
    userAgent: `confcom-${parts.name}/${VERSION}`,
  });
  const companion = parts.make(api, log);
  const figures = () => ({ version: VERSION, startedAt, residentBytes: process.memoryUsage.rss() });
  const server = await startStatusServer(command.listen, {
    status: () => ({
      version: VERSION,
      ...parts.facts,
      apiServer: command.apiServer.origin,
      now: new Date(SYSTEM_CLOCK.now()).toISOString(),
      startedAt: new Date(startedAt).toISOString(),
      ...companion.report(),
    }),
    healthy: () => companion.healthy(),
    ready: () => companion.ready(),
    metrics: () => parts.metrics(companion.report(), figures()),
  });
  try {
    const url = urlOf(server.address);
    if (command.jsonReadyLine) output.jsonLine({ ready: true, pid: process.pid, status: `${url}/status` });
    else output.line(parts.greeting(url));
    await companion.run(signals.signal);
    log.info({ signal: signals.signal.reason }, "stopped");
  } finally {
    api.close();
    await server.close();
    signals.release();
  }
}
