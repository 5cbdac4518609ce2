import { fileURLToPath } from "node:url";
import { AZURE_EPC_RESOURCE, DEVICE_PLUGIN_DIRECTORY, PLUGIN_NAME } from "@confcom/kubernetes";
import { type Check, expect, expectEqual } from "../../check.ts";
import { registeredDevices } from "../observe/held-devices.ts";
import { until } from "../observe/until.ts";
import type { ClusterScene } from "../scene.ts";
import { EPC_MIB, NAMESPACE, SGX_NODE } from "../scene-names.ts";
import { programText } from "../workload/program.ts";

const ENDPOINT = "somebody-elses.sock";
const DEVICES = 64;
/** The exit code for "somebody else owns this". */
const REFUSED = 76;

export const foreignPlugin: readonly Check<ClusterScene>[] = [
  {
    name: "a foreign plugin owns the EPC name: ours refuses, names its socket, exits 76, and serves when it has gone",
    deadline: 180_000,
    async run(scene) {
      await scene.installed();
      const name = scene.fresh("foreign-plugin");
      const node = scene.node(SGX_NODE);
      await startForeignPlugin(scene, name);
      try {
        await until("the kubelet listens to the foreign plugin", 30_000, async () => {
          const ids = (await registeredDevices(node))[AZURE_EPC_RESOURCE] ?? [];
          expect(ids.length === DEVICES && ids.every((id) => id.startsWith("foreign-")), `ids ${ids.slice(0, 3)}`);
        });
        const pod = await scene.podOf(PLUGIN_NAME, SGX_NODE);
        const { value: ended, ms: refused } = await until("our plugin refuses", 45_000, async () => {
          const { status } = await scene.api.pod(NAMESPACE, pod.metadata.name);
          const container = status.containerStatuses?.find((each) => each.name === PLUGIN_NAME);
          const ended = container?.state?.terminated ?? container?.lastState?.terminated;
          if (ended?.exitCode !== REFUSED) throw new Error(`exit code ${ended?.exitCode ?? "none yet"}`);
          return ended;
        });
        const logs = ["", "&previous=true"].map((which) =>
          scene.api.log(NAMESPACE, pod.metadata.name, PLUGIN_NAME, `tailLines=20${which}`).catch(() => ""),
        );
        const log = (await Promise.all(logs)).join("");
        const named = log.split("\n").findLast((line) => line.includes(ENDPOINT));
        expect(named !== undefined, `the log does not name ${ENDPOINT}: ${log.slice(-600)}`);
        const ids = (await registeredDevices(node))[AZURE_EPC_RESOURCE] ?? [];
        expectEqual(ids.length, DEVICES, "the foreign plugin's devices");
        const test = ["test", "-S", `${DEVICE_PLUGIN_DIRECTORY}/${ENDPOINT}`];
        const { status } = await node.exec(test, { allowFailure: true });
        expectEqual(status, 0, "whether the foreign plugin's socket is still there: exit of test -S");

        await scene.api.deletePod(scene.open, name);
        await until("the foreign plugin is gone", 20_000, async () => {
          const pods = await scene.api.pods("", scene.open);
          expect(!pods.some(({ metadata }) => metadata.name === name), "its pod is still there");
        });
        // The kubelet waits longer after each refusal; the administrator who removed the other plugin does not.
        await scene.api.deletePod(NAMESPACE, pod.metadata.name);
        const { ms } = await until("ours serves", 60_000, async () => {
          const next = await scene.podOf(PLUGIN_NAME, SGX_NODE);
          expect(next.metadata.uid !== pod.metadata.uid, "its pod is the old one");
          expectEqual((await scene.pluginStatus(SGX_NODE)).state, "serving", "state");
          const { allocatable, capacity } = await scene.resource(SGX_NODE, AZURE_EPC_RESOURCE);
          expectEqual(`${allocatable} of ${capacity}`, `${EPC_MIB} of ${EPC_MIB}`, "allocatable");
        });
        await scene.ready(PLUGIN_NAME, SGX_NODE, 30_000);
        scene.figures["foreign plugin"] = { servesAgainMs: ms };
        return `ours noticed, told why and ended with ${ended.exitCode} after ${(refused / 1000).toFixed(1)} s, log names ${ENDPOINT}, its ${DEVICES} devices and socket stay; ours serves ${(ms / 1000).toFixed(1)} s after it left`;
      } finally {
        await scene.api.deletePod(scene.open, name, 0);
      }
    },
  },
];

/** As another vendor's DaemonSet would run: a pod with the kubelet's directory, registering after ours. */
async function startForeignPlugin(scene: ClusterScene, name: string): Promise<void> {
  const namespace = scene.open;
  const main = fileURLToPath(new URL("../workload/foreign-plugin.ts", import.meta.url));
  const data = { "main.mjs": await programText(main) };
  await scene.api.create({ apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace }, data });
  await scene.api.create({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace },
    spec: {
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 2,
      nodeSelector: { "kubernetes.io/hostname": SGX_NODE },
      containers: [
        {
          name: "main",
          image: scene.images.confcom,
          command: [
            "/usr/bin/node",
            "/program/main.mjs",
            DEVICE_PLUGIN_DIRECTORY,
            AZURE_EPC_RESOURCE,
            ENDPOINT,
            String(DEVICES),
          ],
          volumeMounts: [
            { name: "program", mountPath: "/program", readOnly: true },
            { name: "device-plugins", mountPath: DEVICE_PLUGIN_DIRECTORY },
          ],
        },
      ],
      volumes: [
        { name: "program", configMap: { name } },
        { name: "device-plugins", hostPath: { path: DEVICE_PLUGIN_DIRECTORY } },
      ],
    },
  });
}
