import { PLUGIN_NAME, QUOTE_HELPER_NAME } from "@confcom/kubernetes";
import { type Check, expect, expectEqual } from "../../check.ts";
import { containerProcess } from "../observe/container-process.ts";
import { until } from "../observe/until.ts";
import type { ClusterScene } from "../scene.ts";
import { NAMESPACE, PLAIN_NODE, SECOND_SGX_NODE, SGX_NODE } from "../scene-names.ts";

/** Every container of ours: its DaemonSet, and the port on which it answers. */
const CONTAINERS = [
  [PLUGIN_NAME, PLUGIN_NAME, 9101],
  [PLUGIN_NAME, "node-status", 9102],
  [QUOTE_HELPER_NAME, QUOTE_HELPER_NAME, 9103],
] as const;

export const daemons: readonly Check<ClusterScene>[] = [
  {
    name: "every container answers /status, /healthz, /readyz and /metrics through the API server",
    deadline: 60_000,
    async run(scene) {
      await scene.installed();
      const told = await Promise.all(
        CONTAINERS.map(async ([set, container, port]) => {
          const { metadata } = await scene.podOf(set, SGX_NODE);
          const path = `/api/v1/namespaces/${NAMESPACE}/pods/${metadata.name}:${port}/proxy`;
          for (const page of ["/healthz", "/readyz"]) {
            const { status, body } = await scene.api.send("GET", `${path}${page}`);
            expectEqual(status, 200, `${container} ${page}: ${body.slice(0, 100)}`);
          }
          const status = await scene.api.get<object>(`${path}/status`);
          expect(Object.keys(status).length > 2, `${container} /status: ${JSON.stringify(status).slice(0, 100)}`);
          const metrics = (await scene.api.send("GET", `${path}/metrics`)).body;
          const series = metrics.split("\n").filter((line) => /^confcom_\w+(\{.*\})? -?[0-9.e+-]+$/.test(line)).length;
          expect(series > 3, `${container} /metrics: ${metrics.slice(0, 200)}`);
          return `${container} ${series} series`;
        }),
      );
      return told.join(", ");
    },
  },
  {
    name: "SIGTERM as process 1 of a container: each ends by itself with 0, long before the kubelet would kill it",
    deadline: 120_000,
    async run(scene) {
      await scene.secondNode();
      const where = [PLAIN_NODE, PLAIN_NODE, SECOND_SGX_NODE];
      const told = await Promise.all(
        CONTAINERS.map(async ([set, container], index) => {
          const node = where[index] as string;
          const pod = await scene.podOf(set, node);
          process.kill(containerProcess(pod, container).pid, "SIGTERM");
          const { ms, value } = await until(`${container} has ended`, 15_000, async () => {
            const { status } = await scene.api.pod(NAMESPACE, pod.metadata.name);
            const state = status.containerStatuses?.find(({ name }) => name === container);
            const ended = state?.state?.terminated ?? state?.lastState?.terminated;
            if (ended === undefined) throw new Error("it has not");
            return ended;
          });
          expectEqual(value.exitCode, 0, `exit code of ${container}`);
          await scene.ready(set, node, 45_000);
          return `${container} 0 after ${(ms / 1000).toFixed(1)} s`;
        }),
      );
      return told.join(", ");
    },
  },
];
