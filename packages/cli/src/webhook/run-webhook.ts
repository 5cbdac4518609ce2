import { setTimeout as delay } from "node:timers/promises";
import { ApiClient } from "@confcom/kubernetes/api";
import { type ListenAddress, type StatusSource, startStatusServer, type Verdict } from "@confcom/kubernetes/status";
import type { AdmissionHandlerOptions } from "@confcom/kubernetes/webhook";
import { type AuthorityTimes, WebhookAuthority } from "@confcom/kubernetes/webhook-authority";
import { urlOf } from "../device-plugin/node-options.ts";
import { StopSignals } from "../device-plugin/stop-signals.ts";
import { type CredentialFiles, readCredentials } from "../in-cluster/credentials.ts";
import type { LogLevel } from "../quote-helper/configuration.ts";
import { createLog } from "../quote-helper/log.ts";
import { SYSTEM_CLOCK } from "../system-clock.ts";
import type { Output } from "../terminal/output.ts";
import { VERSION } from "../version.ts";
import { AdmissionFigures } from "./admission-figures.ts";
import { AdmissionListener } from "./admission-listener.ts";
import { webhookMetrics } from "./webhook-metrics.ts";

export interface WebhookCommand extends CredentialFiles {
  readonly listen: ListenAddress;
  readonly healthListen: ListenAddress;
  readonly apiServer: URL;
  readonly namespace: string;
  readonly service: string;
  readonly configuration: string;
  readonly admission: AdmissionHandlerOptions["admission"];
  readonly times: AuthorityTimes;
  /** How long requests are still answered after the signal to stop, ms. */
  readonly drainTime: number;
  readonly logLevel: LogLevel;
  readonly jsonReadyLine: boolean;
}

/** The admission webhook, until it is told to stop. */
export async function runWebhook(command: WebhookCommand, output: Output): Promise<void> {
  const log = createLog(command.logLevel);
  const signals = new StopSignals();
  const admissions = new AdmissionFigures();
  const listener = await AdmissionListener.start(command.listen, {
    admission: command.admission,
    timers: SYSTEM_CLOCK,
    elapsed: () => performance.now(),
    onAnswered: (answered) => admissions.count(answered),
    onDefect: (error) => log.error({ defect: error instanceof Error ? error.stack : String(error) }, "defect"),
  });
  const api = new ApiClient({
    server: command.apiServer,
    credentials: () => readCredentials(command),
    userAgent: `confcom-webhook/${VERSION}`,
  });
  const authority = new WebhookAuthority({
    api,
    namespace: command.namespace,
    service: command.service,
    configuration: command.configuration,
    times: command.times,
    clock: SYSTEM_CLOCK,
    random: Math.random,
    log,
    serve: (certificate) => listener.use(certificate),
  });
  const stop = new AbortController();
  try {
    const server = await startStatusServer(
      command.healthListen,
      statusSource(command, listener, authority, admissions),
    );
    try {
      const status = `${urlOf(server.address)}/status`;
      const webhook = urlOf(listener.address).replace("http:", "https:");
      if (command.jsonReadyLine) output.jsonLine({ ready: true, pid: process.pid, webhook, status });
      else output.line(`webhook at ${webhook}: ${status} says what it does`);
      const following = authority.run(stop.signal);
      await Promise.race([following, aborted(signals.signal)]);
      log.info({ signal: signals.signal.reason, drainTime: command.drainTime }, "about to stop");
      listener.drain();
      // Until every node has heard that this pod is gone, requests still come.
      await delay(command.drainTime);
      await listener.close();
      stop.abort();
      await following;
      log.info({}, "stopped");
    } finally {
      await server.close();
    }
  } finally {
    stop.abort();
    api.close();
    await listener.close();
    signals.release();
  }
}

function statusSource(
  command: WebhookCommand,
  listener: AdmissionListener,
  authority: WebhookAuthority,
  admissions: AdmissionFigures,
): StatusSource {
  const startedAt = SYSTEM_CLOCK.now();
  const ready = (): Verdict => (listener.draining ? { ok: false, why: "about to stop" } : authority.ready());
  return {
    status: () => ({
      version: VERSION,
      namespace: command.namespace,
      apiServer: command.apiServer.origin,
      now: new Date(SYSTEM_CLOCK.now()).toISOString(),
      startedAt: new Date(startedAt).toISOString(),
      ready: ready(),
      options: command.admission,
      ...authority.report(),
      admissions: admissions.report(),
    }),
    healthy: () => authority.healthy(),
    ready,
    metrics: () => {
      const residentBytes = process.memoryUsage.rss();
      const figures = { version: VERSION, startedAt, residentBytes, ready: ready().ok };
      return webhookMetrics(admissions, authority.report(), figures);
    },
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
