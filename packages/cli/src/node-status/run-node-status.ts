import { ApiClient } from "@confcom/kubernetes/api";
import { NodeStatus, nodeStatusMetrics } from "@confcom/kubernetes/node-status";
import { type ListenAddress, startStatusServer } from "@confcom/kubernetes/status";
import { urlOf } from "../device-plugin/node-options.ts";
import { StopSignals } from "../device-plugin/stop-signals.ts";
import { type CredentialFiles, readCredentials } from "../in-cluster/credentials.ts";
import type { LogLevel } from "../quote-helper/configuration.ts";
import { createLog } from "../quote-helper/log.ts";
import { SYSTEM_CLOCK } from "../system-clock.ts";
import type { Output } from "../terminal/output.ts";
import { VERSION } from "../version.ts";

export interface NodeStatusCommand extends CredentialFiles {
  readonly plugin: URL;
  readonly node: string;
  readonly apiServer: URL;
  readonly eventNamespace: string;
  readonly listen: ListenAddress;
  readonly logLevel: LogLevel;
  readonly jsonReadyLine: boolean;
}

/** The companion of the device plugin, until it is told to stop. */
export async function runNodeStatus(command: NodeStatusCommand, output: Output): Promise<void> {
  const log = createLog(command.logLevel);
  const signals = new StopSignals();
  const startedAt = SYSTEM_CLOCK.now();
  const api = new ApiClient({
    server: command.apiServer,
    credentials: () => readCredentials(command),
    userAgent: `confcom-node-status/${VERSION}`,
  });
  const nodeStatus = new NodeStatus({
    node: command.node,
    plugin: command.plugin,
    api,
    eventNamespace: command.eventNamespace,
    clock: SYSTEM_CLOCK,
    random: Math.random,
    log,
  });
  const figures = () => ({ version: VERSION, startedAt, residentBytes: process.memoryUsage.rss() });
  const server = await startStatusServer(command.listen, {
    status: () => ({
      version: VERSION,
      node: command.node,
      apiServer: command.apiServer.origin,
      now: new Date(SYSTEM_CLOCK.now()).toISOString(),
      startedAt: new Date(startedAt).toISOString(),
      ...nodeStatus.report(),
    }),
    healthy: () => nodeStatus.healthy(),
    ready: () => nodeStatus.ready(),
    metrics: () => nodeStatusMetrics(nodeStatus.report(), figures()),
  });
  try {
    const url = urlOf(server.address);
    if (command.jsonReadyLine) output.jsonLine({ ready: true, pid: process.pid, status: `${url}/status` });
    else output.line(`node-status of ${command.node}: ${url}/status says what it does`);
    await nodeStatus.run(signals.signal);
    log.info({ signal: signals.signal.reason }, "stopped");
  } finally {
    api.close();
    await server.close();
    signals.release();
  }
}
