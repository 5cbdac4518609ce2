import { AZURE_EPC_RESOURCE, CAPABLE_LABEL, QUOTE_HELPER_NAME } from "@confcom/kubernetes";
import { type Check, expect, expectEqual } from "../../check.ts";
import { until } from "../observe/until.ts";
import type { ClusterScene } from "../scene.ts";
import { EPC_MIB, NAMESPACE, SGX_NODE } from "../scene-names.ts";
import { EpcPods } from "../workload/epc-pods.ts";
import { probe } from "../workload/probe.ts";

export const deviceVanishes: readonly Check<ClusterScene>[] = [
  {
    name: "the SGX device vanishes and returns: label, allocatable and helper follow, running pods untouched",
    deadline: 180_000,
    async run(scene) {
      await scene.installed();
      const node = scene.node(SGX_NODE);
      const holders = await EpcPods.start(scene, SGX_NODE, [32]);
      try {
        node.fixture.removeDevice("sgx_enclave");
        const { ms: noticed } = await until("nothing is allocatable, the label is gone", 45_000, async () => {
          const { metadata } = await scene.api.node(SGX_NODE);
          expectEqual(metadata.labels?.[CAPABLE_LABEL], undefined, CAPABLE_LABEL);
          expectEqual((await scene.resource(SGX_NODE, AZURE_EPC_RESOURCE)).allocatable, 0, "allocatable");
        });
        const { sgx, problems } = await scene.pluginStatus(SGX_NODE);
        expectEqual(sgx.capable, false, "/status: sgx.capable");
        expect(
          problems.some(({ code }) => code === "SGX_DEVICE_MISSING"),
          `problems: ${problems.map(({ code }) => code).join()}`,
        );
        await until("the quote helper has left the node", 45_000, async () => {
          const pods = await scene.api.pods(`app=${QUOTE_HELPER_NAME}`, NAMESPACE);
          expectEqual(pods.filter(({ spec }) => spec.nodeName === SGX_NODE).length, 0, "pods of the helper");
        });
        await holders.expectUntouched();

        node.fixture.addDevice("sgx_enclave");
        const { ms: returned } = await until("EPC is allocatable and labelled again", 60_000, async () => {
          const { metadata } = await scene.api.node(SGX_NODE);
          expectEqual(metadata.labels?.[CAPABLE_LABEL], "true", CAPABLE_LABEL);
          expectEqual((await scene.resource(SGX_NODE, AZURE_EPC_RESOURCE)).allocatable, EPC_MIB, "allocatable");
        });
        const { ms: helper } = await scene.ready(QUOTE_HELPER_NAME, SGX_NODE, 60_000);
        const { seen, pod } = await probe(scene, "after-return", {
          node: SGX_NODE,
          limits: { [AZURE_EPC_RESOURCE]: 16 },
        });
        expectEqual(seen.sgx["/dev/sgx_enclave"], "ok", "/dev/sgx_enclave in a new pod");
        await holders.expectUntouched();
        await scene.api.deletePod(scene.applications, pod, 0);
        scene.figures["device vanishes"] = {
          noticedMs: noticed,
          returnedMs: returned,
          helperReadyMs: returned + helper,
        };
        return `gone: allocatable 0 and no label after ${seconds(noticed)}, helper left; back: ${EPC_MIB} MiB after ${seconds(returned)}, helper ready ${seconds(helper)} later; the running pod untouched`;
      } finally {
        node.fixture.addDevice("sgx_enclave");
        await holders.stop();
      }
    },
  },
];

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
