import { watchHostDirectory } from "@confcom/kubernetes";
import { DevicePluginDaemon, type DevicePluginDaemonOptions, listens } from "@confcom/kubernetes/daemon";
import { type ListenAddress, type StatusSource, startStatusServer } from "@confcom/kubernetes/status";
import type { LogLevel } from "../quote-helper/configuration.ts";
import { createLog } from "../quote-helper/log.ts";
import { SYSTEM_CLOCK } from "../system-clock.ts";
import type { Output } from "../terminal/output.ts";
import { VERSION } from "../version.ts";
import { type HostOptions, hostAccess } from "./host-access.ts";
import { urlOf } from "./node-options.ts";
import { StopSignals } from "./stop-signals.ts";

export interface DevicePluginCommand
  extends HostOptions,
    Pick<
      DevicePluginDaemonOptions,
      "node" | "resourceNames" | "mode" | "numa" | "provisionWithEpc" | "slots" | "directory" | "rescanMs"
    > {
  readonly listen: ListenAddress;
  readonly logLevel: LogLevel;
  readonly jsonReadyLine: boolean;
}

/** The daemon, until it is told to stop. Throws KubernetesError when it may not or cannot serve. */
export async function runDevicePlugin(command: DevicePluginCommand, output: Output): Promise<void> {
  const log = createLog(command.logLevel);
  const signals = new StopSignals();
  const daemon = new DevicePluginDaemon({
    ...command,
    ...hostAccess(command),
    version: VERSION,
    listens,
    watchDirectory: (path, changed) => watchHostDirectory(command.hostRoot, path, changed),
    clock: SYSTEM_CLOCK,
    random: Math.random,
    log,
    residentBytes: () => process.memoryUsage.rss(),
  });
  const source: StatusSource = {
    status: () => daemon.status(),
    healthy: () => daemon.healthy(),
    ready: () => daemon.ready(),
    metrics: () => daemon.metrics(),
  };
  const server = await startStatusServer(command.listen, source);
  try {
    const url = urlOf(server.address);
    if (command.jsonReadyLine) output.jsonLine({ ready: true, pid: process.pid, status: `${url}/status` });
    else output.line(`device plugin: ${url}/status says what it does`);
    const end = await daemon.run(signals.signal);
    if (end.reason === "refused") throw end.error;
    log.info({ signal: signals.signal.reason }, "stopped");
  } finally {
    await server.close();
    signals.release();
  }
}
