import { AZURE_EPC_RESOURCE } from "@confcom/kubernetes";
import { type Check, expect, expectEqual } from "../../check.ts";
import { heldDevices } from "../observe/held-devices.ts";
import type { ClusterScene } from "../scene.ts";
import { EPC_MIB, SECOND_SGX_NODE } from "../scene-names.ts";
import { EpcPods } from "../workload/epc-pods.ts";

/** More than half of one NUMA node's share, less than all of it: two of them fit only one on each. */
const ASKED = EPC_MIB / 2 - 40;

export const numa: readonly Check<ClusterScene>[] = [
  {
    name: "--numa: devices say their NUMA node, and a pod's EPC comes from one",
    deadline: 180_000,
    async run(scene) {
      await scene.ensureNode({ name: SECOND_SGX_NODE, sgx: { epcMiB: EPC_MIB, numaNodes: 2 } });
      await scene.installedWith({ numa: true });
      await scene.allocatable(SECOND_SGX_NODE, AZURE_EPC_RESOURCE, EPC_MIB, 30_000);
      const pods = await EpcPods.start(scene, SECOND_SGX_NODE, [ASKED, ASKED]);
      try {
        const held = await heldDevices(scene.node(SECOND_SGX_NODE));
        const nodes = await Promise.all(
          pods.names.map(async (name) => {
            const { metadata } = await scene.api.pod(scene.applications, name);
            const mine = held.filter(({ podUid }) => podUid === metadata.uid);
            expectEqual(mine.length, ASKED, `ids of ${name}`);
            return [...new Set(mine.map(({ numaNode }) => numaNode))];
          }),
        );
        for (const each of nodes) expectEqual(each.length, 1, `NUMA nodes of one pod's EPC (${each.join()})`);
        const used = nodes.flat().sort().join();
        expect(used === "0,1", `NUMA nodes of the two pods: ${used}`);
        const { encodedBytes = 0 } = (await scene.pluginStatus(SECOND_SGX_NODE)).publishing ?? {};
        return `two pods of ${ASKED} MiB on a node of 2 x ${EPC_MIB / 2}: one on NUMA node 0, one on 1; list of ${encodedBytes} bytes`;
      } finally {
        await pods.stop();
      }
    },
  },
];
