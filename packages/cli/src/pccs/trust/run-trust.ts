import { PccsTrust, pccsTrustMetrics } from "@confcom/kubernetes/pccs-trust";
import { type CompanionCommand, runCompanion } from "../../in-cluster/run-companion.ts";
import { SYSTEM_CLOCK } from "../../system-clock.ts";
import type { Output } from "../../terminal/output.ts";
import { stateMaterial } from "./state-material.ts";

export interface TrustCommand extends CompanionCommand {
  readonly stateDirectory: string;
  readonly upstream: string;
  readonly upstreamRoot: string | undefined;
  readonly namespace: string;
  readonly configMap: string;
  readonly secret: string;
}

/** The companion of a PCCS in a cluster, until it is told to stop. */
export function runTrust(command: TrustCommand, output: Output): Promise<void> {
  const { namespace, configMap, secret } = command;
  const clock = SYSTEM_CLOCK;
  return runCompanion(
    command,
    {
      name: "pccs-trust",
      make: (api, log) => {
        const readMaterial = stateMaterial({
          ...command,
          now: () => new Date(clock.now()),
          warn: (text) => log.warn(text),
          renewed: ({ server }) => log.info({ notAfter: server.validTo }, "the PCCS's server certificate was renewed"),
        });
        return new PccsTrust({ api, namespace, configMap, secret, readMaterial, clock, random: Math.random, log });
      },
      metrics: pccsTrustMetrics,
      greeting: (url) => `pccs trust of ${namespace}: ${url}/status says what is published`,
    },
    output,
  );
}
