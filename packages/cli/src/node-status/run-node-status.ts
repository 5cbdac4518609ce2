import { NodeStatus, nodeStatusMetrics } from "@confcom/kubernetes/node-status";
import { type CompanionCommand, runCompanion } from "../in-cluster/run-companion.ts";
import { SYSTEM_CLOCK } from "../system-clock.ts";
import type { Output } from "../terminal/output.ts";

export interface NodeStatusCommand extends CompanionCommand {
  readonly plugin: URL;
  readonly node: string;
  readonly eventNamespace: string;
}

/** The companion of the device plugin, until it is told to stop. */
export function runNodeStatus(command: NodeStatusCommand, output: Output): Promise<void> {
  const { node, plugin, eventNamespace } = command;
  const clock = SYSTEM_CLOCK;
  return runCompanion(
    command,
    {
      name: "node-status",
      make: (api, log) => new NodeStatus({ node, plugin, api, eventNamespace, clock, random: Math.random, log }),
      metrics: nodeStatusMetrics,
      facts: { node },
      greeting: (url) => `node-status of ${node}: ${url}/status says what it does`,
    },
    output,
  );
}
