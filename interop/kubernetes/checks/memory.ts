import { PLUGIN_NAME, QUOTE_HELPER_NAME } from "@confcom/kubernetes";
import { type Check, expect } from "../../check.ts";
import { containerProcess } from "../observe/container-process.ts";
import { count } from "../observe/kubernetes-objects.ts";
import type { ClusterScene } from "../scene.ts";
import { EPC_MIB, PLAIN_NODE, SGX_NODE } from "../scene-names.ts";

export const memory: readonly Check<ClusterScene>[] = [
  {
    name: "idle memory of every container of ours, below half of its limit",
    deadline: 60_000,
    async run(scene) {
      await scene.installed();
      const containers = [
        [PLUGIN_NAME, PLUGIN_NAME, SGX_NODE],
        [PLUGIN_NAME, "node-status", SGX_NODE],
        [QUOTE_HELPER_NAME, QUOTE_HELPER_NAME, SGX_NODE],
        [PLUGIN_NAME, PLUGIN_NAME, PLAIN_NODE],
        [PLUGIN_NAME, "node-status", PLAIN_NODE],
      ] as const;
      const figures: Record<string, number> = {};
      for (const [set, container, node] of containers) {
        const pod = await scene.podOf(set, node);
        const { rssKiB } = containerProcess(pod, container);
        const limits = pod.spec.containers.find(({ name }) => name === container)?.resources?.limits;
        const limitKiB = count(limits?.memory) / 1024;
        figures[`${container} on ${node}`] = Math.round(rssKiB / 1024);
        expect(rssKiB < limitKiB / 2, `${container} on ${node}: ${rssKiB} KiB of a limit of ${limitKiB} KiB`);
      }
      figures["kubelet (not ours)"] = Math.round(scene.node(SGX_NODE).kubelet.rssKiB() / 1024);
      scene.figures["idle memory, MiB"] = figures;
      const listed = Object.entries(figures).map(([name, mib]) => `${name} ${mib}`);
      return `resident, MiB, with ${EPC_MIB} MiB of EPC: ${listed.join(", ")}`;
    },
  },
];
