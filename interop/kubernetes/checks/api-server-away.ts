import { setTimeout as sleep } from "node:timers/promises";
import { AZURE_EPC_RESOURCE, DRIVER_LABEL, PLUGIN_NAME, QUOTE_HELPER_NAME } from "@confcom/kubernetes";
import { type Check, expect, expectEqual } from "../../check.ts";
import { isReady } from "../observe/daemon-pods.ts";
import { until } from "../observe/until.ts";
import type { ClusterScene } from "../scene.ts";
import { EPC_MIB, SGX_NODE } from "../scene-names.ts";
import { EpcPods } from "../workload/epc-pods.ts";
import { probe } from "../workload/probe.ts";
import { QuoteLoad } from "../workload/quote-load/quote-load.ts";

/** Milliseconds: longer than the controller manager waits before it calls the nodes lost. */
const AWAY = 60_000;

export const apiServerAway: readonly Check<ClusterScene>[] = [
  {
    name: "API server away for 60 s: quotes unaffected, plugin and node-status recover by themselves",
    deadline: 300_000,
    async run(scene) {
      await scene.installed();
      const load = await QuoteLoad.start(scene, SGX_NODE, scene.fresh("load"));
      const holders = await EpcPods.start(scene, SGX_NODE, [32]);
      const identities = async () =>
        (await ours(scene)).map(({ metadata, status }) => `${metadata.uid} ${restarts(status)}`).join();
      const before = await identities();
      await scene.cluster.apiServer.stop();
      const left = Date.now();
      await sleep(AWAY);
      await scene.cluster.apiServer.start();
      const away = Date.now() - left;
      const returned = performance.now();
      await until("the API server answers", 60_000, () =>
        scene.api.get("/readyz?verbose=").catch(() => scene.api.nodes()),
      );
      await scene.api.patch(`/api/v1/nodes/${SGX_NODE}`, { metadata: { labels: { [DRIVER_LABEL]: "wrong" } } });
      await until("node-status puts its label right", 60_000, async () => {
        const label = (await scene.api.node(SGX_NODE)).metadata.labels?.[DRIVER_LABEL];
        expect(label !== "wrong" && label !== undefined, `${DRIVER_LABEL}=${label}`);
      });
      const labelled = Math.round(performance.now() - returned);
      // The kubelets themselves come back up to a minute later, and their pods count as unready until then.
      await until("every pod of ours is ready", 120_000, async () => {
        for (const pod of await ours(scene)) expect(isReady(pod), `${pod.metadata.name} is not`);
      });
      const { allocatable } = await scene.resource(SGX_NODE, AZURE_EPC_RESOURCE);
      expectEqual(allocatable, EPC_MIB, "allocatable");
      const window = await load.since(left);
      expect(window.quotes > 0, "no quotes at all");
      expectEqual(window.rawFailed + window.quotesFailed, 0, "failed calls");
      await holders.expectUntouched();
      expectEqual(await identities(), before, "our pods and their restarts");
      await clusterRecovers(scene);
      await Promise.all([load.stop(), holders.stop()]);
      scene.figures["API server away"] = { awayMs: away, quotes: window.quotes, labelRightMs: labelled };
      return `away ${(away / 1000).toFixed(0)} s: ${window.quotes} quotes and ${window.raw} raw calls, 0 failed; nothing of ours restarted; node-status put a wrong label right ${(labelled / 1000).toFixed(1)} s after the return`;
    },
  },
];

/**
 * Kubernetes' own programs wait up to a minute before they look at an API server again that was away. They are started
 * again to save that time; a new pod on each node shows that all are back at work.
 */
async function clusterRecovers(scene: ClusterScene): Promise<void> {
  const { scheduler, controllerManager } = scene.cluster.controlPlane;
  const kubelets = scene.cluster.nodes().map(({ kubelet }) => kubelet);
  await Promise.all([scheduler, controllerManager, ...kubelets].map((service) => service.restart()));
  const nodes = scene.cluster.nodes().map(({ name }) => name);
  const probes = await Promise.all(nodes.map((node) => probe(scene, "after-absence", { node }, 120_000)));
  await Promise.all(probes.map(({ pod }) => scene.api.deletePod(scene.applications, pod, 0)));
}

async function ours(scene: ClusterScene) {
  const pods = await Promise.all([PLUGIN_NAME, QUOTE_HELPER_NAME].map((name) => scene.api.pods(`app=${name}`)));
  return pods.flat().sort((a, b) => a.metadata.uid.localeCompare(b.metadata.uid));
}

function restarts(status: { containerStatuses?: readonly { restartCount: number }[] }): number {
  return (status.containerStatuses ?? []).reduce((sum, { restartCount }) => sum + restartCount, 0);
}
