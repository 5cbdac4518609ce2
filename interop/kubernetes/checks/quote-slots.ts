import { AZURE_EPC_RESOURCE, QUOTE_HELPER_NAME, QUOTE_RESOURCE } from "@confcom/kubernetes";
import { type Check, expect, expectEqual } from "../../check.ts";
import { isReady } from "../observe/daemon-pods.ts";
import { throughout, until } from "../observe/until.ts";
import type { ClusterScene } from "../scene.ts";
import { SECOND_SGX_NODE, SGX_NODE } from "../scene-names.ts";
import { podManifest } from "../workload/pod-manifest.ts";
import { probe } from "../workload/probe.ts";
import { withoutHelper } from "../workload/without-helper.ts";

const SOCKET = "/run/aesmd/aesm.socket";
/** Milliseconds in which a container that may not start must not start. */
const WAITING = 3000;

export const quoteSlots: readonly Check<ClusterScene>[] = [
  {
    name: "a helper that lost its socket is not ready until the path is its own socket again",
    deadline: 90_000,
    async run(scene) {
      await scene.secondNode();
      const node = scene.node(SECOND_SGX_NODE);
      const inode = async () => (await node.exec(["stat", "-c", "%i", SOCKET])).stdout.trim();
      const before = await scene.podOf(QUOTE_HELPER_NAME, SECOND_SGX_NODE);
      const restarts = restartsOf(before);
      // Somebody else's file at the path: anything that is there but is not the helper's own socket.
      await node.exec(["sh", "-ec", `mv ${SOCKET} ${SOCKET}.away; : > ${SOCKET}`]);
      const { ms: noticed } = await until(
        "the helper is not ready",
        15_000,
        async () => {
          const pod = await scene.podOf(QUOTE_HELPER_NAME, SECOND_SGX_NODE);
          expect(!isReady(pod), "it is ready");
        },
        50,
      );
      await node.exec(["rm", "-f", SOCKET, `${SOCKET}.away`]);
      const { ms, value } = await scene.ready(QUOTE_HELPER_NAME, SECOND_SGX_NODE, 45_000);
      expectEqual(value.metadata.uid, before.metadata.uid, "the helper's pod");
      const limits = { [QUOTE_RESOURCE]: 1 };
      const { seen, pod } = await probe(scene, "after-loss", { node: SECOND_SGX_NODE, limits });
      expectEqual(seen.aesm.connect, "ok", "connecting to the AESM socket");
      await scene.api.deletePod(scene.applications, pod, 0);
      return `not ready ${seconds(noticed)} after the path was somebody else's, ready again ${seconds(ms)} later with socket inode ${await inode()}; ${restartsOf(value) - restarts} restarts`;
    },
  },
  {
    name: "without a quote helper a quote slot's container does not start, one with EPC does; it starts when the helper is there",
    deadline: 120_000,
    async run(scene) {
      await scene.installed();
      const { api, applications: namespace } = scene;
      return withoutHelper(scene, async (bring) => {
        const name = scene.fresh("waits-for-helper");
        const limits = { [QUOTE_RESOURCE]: 1 };
        const image = scene.images.probe;
        const request = { name, namespace, node: SGX_NODE, image, args: ["--hold"], limits };
        await api.create(podManifest({ ...request, restartPolicy: "Always" }));
        const epc = await probe(scene, "needs-no-helper", { node: SGX_NODE, limits: { [AZURE_EPC_RESOURCE]: 8 } });
        await throughout(WAITING, async () => {
          const [container] = (await api.pod(namespace, name)).status.containerStatuses ?? [];
          expect(container?.state?.running === undefined, "a container with a quote slot runs without a helper");
          expectEqual(container?.restartCount ?? 0, 0, "restarts of the container with a quote slot");
        });
        await bring();
        const { ms } = await until("the waiting pod runs", 90_000, async () => {
          const [container] = (await api.pod(namespace, name)).status.containerStatuses ?? [];
          const { reason, message } = container?.state?.waiting ?? {};
          expect(container?.state?.running !== undefined, `${reason ?? ""} ${message ?? ""}`);
        });
        await until("it reaches the helper", 10_000, async () => {
          const log = await api.log(namespace, name);
          expect(log.includes('"connect":"ok"'), log.slice(0, 300));
        });
        await Promise.all([name, epc.pod].map((pod) => api.deletePod(namespace, pod, 0)));
        return `the quote slot's container did not start in ${seconds(WAITING)}, the one with EPC did; started ${seconds(ms)} after the helper was applied, and connects`;
      });
    },
  },
];

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

function restartsOf({ status }: { status: { containerStatuses?: readonly { restartCount: number }[] } }): number {
  return (status.containerStatuses ?? []).reduce((sum, { restartCount }) => sum + restartCount, 0);
}
