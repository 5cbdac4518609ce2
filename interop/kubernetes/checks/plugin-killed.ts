import { AZURE_EPC_RESOURCE, PLUGIN_NAME } from "@confcom/kubernetes";
import { type Check, expect, expectEqual } from "../../check.ts";
import { containerProcess } from "../observe/container-process.ts";
import { until } from "../observe/until.ts";
import type { ClusterScene } from "../scene.ts";
import { EPC_MIB, SGX_NODE } from "../scene-names.ts";
import { EpcPods } from "../workload/epc-pods.ts";
import { probe } from "../workload/probe.ts";
import { QuoteLoad } from "../workload/quote-load/quote-load.ts";

export const pluginKilled: readonly Check<ClusterScene>[] = [
  {
    name: "plugin killed: capacity comes back, EPC pods and quotes do not notice",
    deadline: 120_000,
    async run(scene) {
      await scene.installed();
      const load = await QuoteLoad.start(scene, SGX_NODE, scene.fresh("load"));
      const holders = await EpcPods.start(scene, SGX_NODE, [32, 32]);
      const pod = await scene.podOf(PLUGIN_NAME, SGX_NODE);
      const before = await scene.pluginStatus(SGX_NODE);
      const killed = Date.now();
      process.kill(containerProcess(pod, PLUGIN_NAME).pid, "SIGKILL");
      const { ms } = await until("the plugin is back", 60_000, async () => {
        const status = await scene.pluginStatus(SGX_NODE);
        expect(status.startedAt !== before.startedAt, "it is the same process");
        for (const { name, registeredAt, listAndWatchOpen } of status.resources) {
          expect(registeredAt !== null && listAndWatchOpen, `${name} is not registered`);
        }
        const { allocatable } = await scene.resource(SGX_NODE, AZURE_EPC_RESOURCE);
        expectEqual(allocatable, EPC_MIB, "allocatable");
      });
      const now = await scene.podOf(PLUGIN_NAME, SGX_NODE);
      expectEqual(now.metadata.uid, pod.metadata.uid, "the pod");
      const another = await probe(scene, "after-kill", { node: SGX_NODE, limits: { [AZURE_EPC_RESOURCE]: 16 } });
      expectEqual(another.seen.sgx["/dev/sgx_enclave"], "ok", "/dev/sgx_enclave in a new pod");
      await holders.expectUntouched();
      const window = await load.since(killed);
      expect(window.quotes > 0, "no quotes at all");
      expectEqual(window.rawFailed + window.quotesFailed, 0, "failed calls");
      await Promise.all([load.stop(), holders.stop(), scene.api.deletePod(scene.applications, another.pod, 0)]);
      scene.figures["plugin killed"] = { backMs: ms };
      return `registered and ${EPC_MIB} MiB allocatable after ${(ms / 1000).toFixed(1)} s, same pod; a new pod gets its device; ${window.quotes} quotes meanwhile, 0 failed`;
    },
  },
];
