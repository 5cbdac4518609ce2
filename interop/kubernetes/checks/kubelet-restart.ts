import { AZURE_EPC_RESOURCE } from "@confcom/kubernetes";
import { type Check, expect, expectEqual } from "../../check.ts";
import { heldDevices, heldTwice } from "../observe/held-devices.ts";
import { count, type Pod } from "../observe/kubernetes-objects.ts";
import { until, Violation } from "../observe/until.ts";
import type { ClusterScene } from "../scene.ts";
import { EPC_MIB, SGX_NODE } from "../scene-names.ts";
import { EpcPods } from "../workload/epc-pods.ts";
import { podManifest } from "../workload/pod-manifest.ts";

/** What the add-on promises, milliseconds. */
const BACK_WITHIN = 30_000;
const REPLICAS = 8;
const EACH_MIB = 16;

export const kubeletRestart: readonly Check<ClusterScene>[] = [
  {
    name: "kubelet killed during allocation: allocatable back within 30 s, no EPC pod restarted, no id held twice",
    deadline: 150_000,
    async run(scene) {
      await scene.installed();
      const node = scene.node(SGX_NODE);
      const { api, applications } = scene;
      const holders = await EpcPods.start(scene, SGX_NODE, [32, 32, 32]);
      const ids = await idsOf(scene, holders.names);
      const set = scene.fresh("allocating");
      await api.create(replicaSet(scene, set));
      await until(
        "the first of the new pods is on the node",
        15_000,
        async () => {
          const scheduled = (await api.pods(`set=${set}`, applications)).filter(
            ({ spec }) => spec.nodeName === SGX_NODE,
          );
          expect(scheduled.length > 0, "none is");
        },
        20,
      );
      await node.kubelet.kill9();
      const running = (await api.pods(`set=${set}`, applications)).filter(({ status }) => status.phase === "Running");
      expect(running.length < REPLICAS, "every pod ran before the kubelet was killed: nothing was interrupted");
      const restarted = Date.now();
      await node.kubelet.start();
      await until("allocatable is back, by the new kubelet's word", BACK_WITHIN, async () => {
        await expectNoIdTwice(scene);
        const epc = (await scene.pluginStatus(SGX_NODE)).resources.find(({ name }) => name === AZURE_EPC_RESOURCE);
        const registeredAt = Date.parse(epc?.registeredAt ?? "");
        expect(registeredAt >= restarted, "not registered again");
        const { conditions, allocatable } = (await api.node(SGX_NODE)).status;
        const ready = conditions.find(({ type }) => type === "Ready");
        // Times of the API have no fractions.
        const heartbeat = Date.parse(ready?.lastHeartbeatTime ?? "") + 1000;
        expect(heartbeat > registeredAt, "the node's status is older than the registration");
        expect(ready?.status === "True", `node: ${ready?.message}`);
        expectEqual(count(allocatable[AZURE_EPC_RESOURCE]), EPC_MIB, "allocatable");
      });
      const ms = Date.now() - restarted;
      expect(ms <= BACK_WITHIN, `allocatable was back after ${ms} ms`);
      const { ms: allRunning } = await until(`${REPLICAS} new pods run`, 60_000, async () => {
        await expectNoIdTwice(scene);
        const { allocatable } = await scene.resource(SGX_NODE, AZURE_EPC_RESOURCE);
        if (allocatable !== EPC_MIB) throw new Violation(`allocatable was back and is ${allocatable} again`);
        const running = (await api.pods(`set=${set}`, applications)).filter(({ status }) => status.phase === "Running");
        expectEqual(running.length, REPLICAS, "running");
      });
      await holders.expectUntouched();
      const after = await idsOf(scene, holders.names);
      for (const name of holders.names) expectEqual(after.get(name), ids.get(name), `ids of ${name}`);
      const refused = (await api.pods(`set=${set}`, applications)).filter(({ status }) => status.phase === "Failed");
      await api.delete(`/apis/apps/v1/namespaces/${applications}/replicasets/${set}?propagationPolicy=Background`);
      await holders.stop();
      scene.figures["kubelet restart"] = {
        allocatableBackMs: ms,
        allRunningMs: allRunning,
        refusedMeanwhile: refused.length,
      };
      return `allocatable ${EPC_MIB} MiB after ${(ms / 1000).toFixed(1)} s; ${holders.names.length} pods keep container and ids; ${REPLICAS} new ones run (${running.length} when it was killed), ${refused.length} refused meanwhile and made again; no id held twice at any look`;
    },
  },
];

function replicaSet(scene: ClusterScene, name: string): object {
  const pod = podManifest({
    name,
    namespace: scene.applications,
    node: SGX_NODE,
    labels: { set: name },
    image: scene.images.probe,
    args: ["--hold"],
    limits: { [AZURE_EPC_RESOURCE]: EACH_MIB },
    restartPolicy: "Always",
  }) as Pod;
  return {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: { name, namespace: scene.applications },
    spec: {
      replicas: REPLICAS,
      selector: { matchLabels: { set: name } },
      template: { metadata: { labels: { set: name } }, spec: pod.spec },
    },
  };
}

async function expectNoIdTwice(scene: ClusterScene): Promise<void> {
  const [held, pods] = await Promise.all([heldDevices(scene.node(SGX_NODE)), scene.api.pods("")]);
  const running = pods.filter(({ status }) => status.phase === "Running");
  const twice = heldTwice(held, new Set(running.map(({ metadata }) => metadata.uid)));
  if (twice.length > 0) throw new Violation(`held by two pods: ${twice.slice(0, 3).join("; ")}`);
}

/** The EPC ids of each pod, in order, as one text. */
async function idsOf(scene: ClusterScene, names: readonly string[]): Promise<Map<string, string>> {
  const held = await heldDevices(scene.node(SGX_NODE));
  const pods = await Promise.all(names.map((name) => scene.api.pod(scene.applications, name)));
  return new Map(
    pods.map(({ metadata }) => {
      const ids = held.filter(({ podUid, resource }) => podUid === metadata.uid && resource === AZURE_EPC_RESOURCE);
      return [
        metadata.name,
        ids
          .map(({ id }) => id)
          .sort()
          .join(" "),
      ];
    }),
  );
}
