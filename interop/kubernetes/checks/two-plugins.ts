import { AZURE_EPC_RESOURCE, DEVICE_PLUGIN_DIRECTORY, PLUGIN_NAME } from "@confcom/kubernetes";
import { type Check, expect, expectEqual } from "../../check.ts";
import { isReady } from "../observe/daemon-pods.ts";
import { until } from "../observe/until.ts";
import type { ClusterScene } from "../scene.ts";
import { EPC_MIB, NAMESPACE, SGX_NODE } from "../scene-names.ts";
import { EpcPods } from "../workload/epc-pods.ts";
import { lonePlugin } from "../workload/lone-plugin.ts";
import { probe } from "../workload/probe.ts";

const SECOND = "second-sgx-plugin";
const SOCKET = `${DEVICE_PLUGIN_DIRECTORY}/confcom-epc.sock`;

export const twoPlugins: readonly Check<ClusterScene>[] = [
  {
    name: "two plugins of ours: the second takes over, the first leaves without unlinking, and serves again when alone",
    deadline: 150_000,
    async run(scene) {
      await scene.installed();
      const node = scene.node(SGX_NODE);
      const inode = async () => (await node.exec(["stat", "-c", "%i", SOCKET])).stdout.trim();
      const holders = await EpcPods.start(scene, SGX_NODE, [32]);
      const first = await scene.podOf(PLUGIN_NAME, SGX_NODE);
      const before = await inode();
      await scene.api.create(lonePlugin(scene, SECOND, SGX_NODE, {}));
      try {
        const { ms: takenOver } = await until("the second plugin serves", 40_000, async () => {
          const pod = await scene.api.pod(NAMESPACE, SECOND);
          expect(pod.status.phase === "Running", `it is ${pod.status.phase}`);
          const status = await scene.statusOfPod(SECOND);
          expectEqual(status.state, "serving", "state of the second");
          expect(
            status.resources.every(({ listAndWatchOpen }) => listAndWatchOpen),
            "not every list is open",
          );
        });
        const { value: left } = await until("the first plugin has left", 20_000, async () => {
          const status = await scene.pluginStatus(SGX_NODE);
          expectEqual(status.state, "standby", "state of the first");
          return status;
        });
        const taken = await inode();
        expect(taken !== before, "the socket is still the first plugin's");
        const { seen, pod } = await probe(scene, "by-second", { node: SGX_NODE, limits: { [AZURE_EPC_RESOURCE]: 16 } });
        expectEqual(seen.sgx["/dev/sgx_enclave"], "ok", "/dev/sgx_enclave in a pod allocated by the second");
        expectEqual(await inode(), taken, "the socket after the first has left");
        expectEqual((await scene.resource(SGX_NODE, AZURE_EPC_RESOURCE)).allocatable, EPC_MIB, "allocatable");
        await scene.api.deletePod(NAMESPACE, SECOND);
        const { ms: back } = await until("the first plugin serves again", 60_000, async () => {
          const status = await scene.pluginStatus(SGX_NODE);
          expectEqual(status.state, "serving", "state of the first");
          expect(
            status.resources.every(({ listAndWatchOpen }) => listAndWatchOpen),
            "not every list is open",
          );
          expectEqual((await scene.resource(SGX_NODE, AZURE_EPC_RESOURCE)).allocatable, EPC_MIB, "allocatable");
        });
        const now = await scene.podOf(PLUGIN_NAME, SGX_NODE);
        expectEqual(now.metadata.uid, first.metadata.uid, "the first plugin's pod");
        expect(isReady(now), "the first plugin's pod is not ready");
        await holders.expectUntouched();
        await scene.api.deletePod(scene.applications, pod, 0);
        scene.figures["two plugins"] = { takenOverMs: takenOver, backMs: back };
        return `second serves after ${(takenOver / 1000).toFixed(1)} s, first: "${left.replaced ?? "standby"}", socket stays the second's; the second deleted: first serves again after ${(back / 1000).toFixed(1)} s; EPC pods untouched`;
      } finally {
        await scene.api.deletePod(NAMESPACE, SECOND, 0);
        await holders.stop();
      }
    },
  },
];
