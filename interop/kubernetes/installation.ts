import {
  AZURE_EPC_RESOURCE,
  CAPABLE_LABEL,
  ENCLAVE_RESOURCE,
  PLUGIN_NAME,
  PROVISION_RESOURCE,
  QUOTE_HELPER_NAME,
  QUOTE_RESOURCE,
} from "@confcom/kubernetes";
import { expect } from "../check.ts";
import { until } from "./observe/until.ts";
import type { ClusterScene } from "./scene.ts";
import { EPC_MIB, NAMESPACE, PLAIN_NODE, SGX_NODE } from "./scene-names.ts";

/** Our resources on an SGX node, where EPC is published as devices. */
export const PUBLISHED = [AZURE_EPC_RESOURCE, ENCLAVE_RESOURCE, PROVISION_RESOURCE, QUOTE_RESOURCE] as const;

export interface Installation {
  readonly steps: readonly { readonly step: string; readonly ms: number }[];
  /** Pods that the helper's DaemonSet wanted while no node was labelled. */
  readonly helperWithoutLabel: number;
  /** Why the scheduler could not place the helper on a labelled node that had no plugin yet. */
  readonly pendingBecause: string;
}

/** From an empty cluster to a ready quote helper, the helper applied first: it has to wait for the plugin by itself. */
export async function install(scene: ClusterScene): Promise<Installation> {
  await scene.up();
  const steps: { step: string; ms: number }[] = [];
  const begun = performance.now();
  let last = begun;
  const done = (step: string): void => {
    const now = performance.now();
    steps.push({ step, ms: Math.round(now - last) });
    last = now;
  };

  await scene.applyManifests("quote-helper");
  const { value: unlabelled } = await until("the DaemonSet controller has seen the quote helper", 20_000, async () => {
    const set = await scene.api.daemonSet(NAMESPACE, QUOTE_HELPER_NAME);
    expect(set.status.observedGeneration === set.metadata.generation, "it has not");
    return set;
  });
  done("quote helper applied: no node is labelled, no pod wanted");

  // As an administrator or another label source would: the label alone must not be enough.
  await scene.api.patch(`/api/v1/nodes/${SGX_NODE}`, { metadata: { labels: { [CAPABLE_LABEL]: "true" } } });
  const { value: pendingBecause } = await until("the quote helper is Pending for want of EPC", 20_000, async () => {
    const pod = await scene.api.pods(`app=${QUOTE_HELPER_NAME}`, NAMESPACE).then((pods) => pods[0]);
    const scheduled = pod?.status.conditions?.find(({ type }) => type === "PodScheduled");
    expect(pod?.status.phase === "Pending", `it is ${pod?.status.phase ?? "not there"}`);
    expect(scheduled?.status === "False", "the scheduler has not looked at it");
    return scheduled.message ?? "";
  });
  done("node labelled by hand: helper Pending");

  await scene.applyManifests();
  done("manifests applied");
  await until("the plugin runs", 60_000, async () => {
    const pod = await scene.podOf(PLUGIN_NAME, SGX_NODE);
    expect(pod.status.phase === "Running", `it is ${pod.status.phase}`);
  });
  done("plugin's pod running");
  await until("the plugin's resources are allocatable", 60_000, async () => {
    const { status } = await scene.api.node(SGX_NODE);
    for (const name of PUBLISHED) expect(status.allocatable[name] !== undefined, `${name} is not`);
    const epc = await scene.resource(SGX_NODE, AZURE_EPC_RESOURCE);
    expect(epc.allocatable === EPC_MIB, `${epc.allocatable} MiB of EPC`);
  });
  done("resources allocatable");
  await until("the quote helper runs", 60_000, async () => {
    const pod = await scene.podOf(QUOTE_HELPER_NAME, SGX_NODE);
    expect(pod.status.phase === "Running", `it is ${pod.status.phase}`);
  });
  done("quote helper's pod running");
  await scene.ready(QUOTE_HELPER_NAME, SGX_NODE, 30_000);
  done("quote helper ready: a real init_quote_ex passed");
  await Promise.all([SGX_NODE, PLAIN_NODE].map((node) => scene.ready(PLUGIN_NAME, node, 30_000)));
  done("plugin ready on every node");
  return { steps, helperWithoutLabel: unlabelled.status.desiredNumberScheduled, pendingBecause };
}
