import { AZURE_EPC_RESOURCE, QUOTE_HELPER_NAME } from "@confcom/kubernetes";
import { type Check, expect, expectEqual } from "../../check.ts";
import { heldDevices, registeredDevices } from "../observe/held-devices.ts";
import { until } from "../observe/until.ts";
import type { ClusterScene } from "../scene.ts";
import { EPC_MIB, SGX_NODE } from "../scene-names.ts";
import { EpcPods } from "../workload/epc-pods.ts";

const HELD = [64, 32] as const;
const SHRUNK = 256;
/** Less than the pods above hold. */
const TOO_SMALL = 80;

export const epcSizeChanges: readonly Check<ClusterScene>[] = [
  {
    name: "EPC shrinks and grows: free ids leave first, then Unhealthy with event and status; pods untouched",
    deadline: 150_000,
    async run(scene) {
      await scene.installed();
      const node = scene.node(SGX_NODE);
      const holders = await EpcPods.start(scene, SGX_NODE, HELD);
      const began = Date.now();
      try {
        const running = (await scene.api.list<{ metadata: { uid: string }; status: { phase: string } }>("/api/v1/pods"))
          .filter(({ status }) => status.phase === "Running")
          .map(({ metadata }) => metadata.uid);
        const held = (await heldDevices(node))
          .filter(({ resource, podUid }) => resource === AZURE_EPC_RESOURCE && running.includes(podUid))
          .map(({ id }) => id);
        const helper = await epcOfHelper(scene);
        expectEqual(held.length, HELD[0] + HELD[1] + helper, "ids held");

        node.fixture.setEpcMiB(SHRUNK);
        const { ms: shrunk } = await scene.allocatable(SGX_NODE, AZURE_EPC_RESOURCE, SHRUNK, 45_000);
        const { capacity } = await scene.resource(SGX_NODE, AZURE_EPC_RESOURCE);
        expectEqual(capacity, SHRUNK, "capacity: ids that left are gone, not unhealthy");
        const published = new Set((await registeredDevices(node))[AZURE_EPC_RESOURCE]);
        const lost = held.filter((id) => !published.has(id));
        expectEqual(lost.length, 0, "held ids that left the list");

        node.fixture.setEpcMiB(TOO_SMALL);
        const { ms: overcommitted } = await scene.allocatable(SGX_NODE, AZURE_EPC_RESOURCE, TOO_SMALL, 45_000);
        const status = await scene.pluginStatus(SGX_NODE);
        const epc = status.resources.find(({ name }) => name === AZURE_EPC_RESOURCE);
        expectEqual(epc?.total, held.length, "devices still published");
        expectEqual(epc?.healthy, TOO_SMALL, "healthy devices");
        expect(
          status.problems.some(({ code }) => code === "EPC_OVERCOMMITTED"),
          `problems: ${status.problems.map(({ code }) => code).join()}`,
        );
        const { value: event } = await until("an event on the node", 30_000, async () => {
          const events = await scene.api.events(
            `involvedObject.kind=Node,involvedObject.name=${SGX_NODE},type=Warning`,
          );
          const ours = events.find(
            ({ reason, metadata }) =>
              reason === "EpcOvercommitted" && Date.parse(metadata.creationTimestamp) >= began - 1000,
          );
          if (ours === undefined) throw new Error(`none among ${events.map(({ reason }) => reason).join(", ")}`);
          return ours;
        });
        await holders.expectUntouched();

        node.fixture.setEpcMiB(EPC_MIB);
        const { ms: grown } = await scene.allocatable(SGX_NODE, AZURE_EPC_RESOURCE, EPC_MIB, 45_000);
        const { problems } = await scene.pluginStatus(SGX_NODE);
        expect(!problems.some(({ code }) => code === "EPC_OVERCOMMITTED"), "the problem is still told");
        await holders.expectUntouched();
        scene.figures["EPC size changes"] = { shrunkMs: shrunk, overcommittedMs: overcommitted, grownMs: grown };
        return `${EPC_MIB} -> ${SHRUNK} MiB in ${seconds(shrunk)}: every held id still there; -> ${TOO_SMALL} with ${held.length} held: ${TOO_SMALL} healthy, problem EPC_OVERCOMMITTED, event ${event.reason} on the node; -> ${EPC_MIB} in ${seconds(grown)}; pods untouched`;
      } finally {
        node.fixture.setEpcMiB(EPC_MIB);
        await holders.stop();
      }
    },
  },
];

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

async function epcOfHelper(scene: ClusterScene): Promise<number> {
  const { spec } = await scene.podOf(QUOTE_HELPER_NAME, SGX_NODE);
  return Number(spec.containers[0]?.resources?.limits?.[AZURE_EPC_RESOURCE] ?? 0);
}
