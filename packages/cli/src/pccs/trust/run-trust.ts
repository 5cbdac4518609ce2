import { ApiClient } from "@confcom/kubernetes/api";
import { PccsTrust, pccsTrustMetrics } from "@confcom/kubernetes/pccs-trust";
import { type ListenAddress, startStatusServer } from "@confcom/kubernetes/status";
import { urlOf } from "../../device-plugin/node-options.ts";
import { StopSignals } from "../../device-plugin/stop-signals.ts";
import { type CredentialFiles, readCredentials } from "../../in-cluster/credentials.ts";
import type { LogLevel } from "../../quote-helper/configuration.ts";
import { createLog } from "../../quote-helper/log.ts";
import { SYSTEM_CLOCK } from "../../system-clock.ts";
import type { Output } from "../../terminal/output.ts";
import { VERSION } from "../../version.ts";
import { stateMaterial } from "./state-material.ts";

export interface TrustCommand extends CredentialFiles {
  readonly stateDirectory: string;
  readonly upstream: string;
  readonly upstreamRoot: string | undefined;
  readonly namespace: string;
  readonly configMap: string;
  readonly secret: string;
  readonly apiServer: URL;
  readonly listen: ListenAddress;
  readonly logLevel: LogLevel;
  readonly jsonReadyLine: boolean;
}

/** The companion of a PCCS in a cluster, until it is told to stop. */
export async function runTrust(command: TrustCommand, output: Output): Promise<void> {
  const { namespace, configMap, secret } = command;
  const log = createLog(command.logLevel);
  const signals = new StopSignals();
  const startedAt = SYSTEM_CLOCK.now();
  const api = new ApiClient({
    server: command.apiServer,
    credentials: () => readCredentials(command),
    userAgent: `confcom-pccs-trust/${VERSION}`,
  });
  const readMaterial = stateMaterial({
    ...command,
    now: () => new Date(SYSTEM_CLOCK.now()),
    warn: (text) => log.warn(text),
    renewed: ({ server }) => log.info({ notAfter: server.validTo }, "the PCCS's server certificate was renewed"),
  });
  const clock = SYSTEM_CLOCK;
  const trust = new PccsTrust({ api, namespace, configMap, secret, readMaterial, clock, random: Math.random, log });
  const figures = () => ({ version: VERSION, startedAt, residentBytes: process.memoryUsage.rss() });
  const server = await startStatusServer(command.listen, {
    status: () => ({
      version: VERSION,
      apiServer: command.apiServer.origin,
      now: new Date(SYSTEM_CLOCK.now()).toISOString(),
      startedAt: new Date(startedAt).toISOString(),
      ...trust.report(),
    }),
    healthy: () => trust.healthy(),
    ready: () => trust.ready(),
    metrics: () => pccsTrustMetrics(trust.report(), figures()),
  });
  try {
    const url = urlOf(server.address);
    if (command.jsonReadyLine) output.jsonLine({ ready: true, pid: process.pid, status: `${url}/status` });
    else output.line(`pccs trust of ${namespace}: ${url}/status says what is published`);
    await trust.run(signals.signal);
    log.info({ signal: signals.signal.reason }, "stopped");
  } finally {
    api.close();
    await server.close();
    signals.release();
  }
}
