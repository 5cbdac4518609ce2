import { AZURE_EPC_RESOURCE, QUOTE_HELPER_NAME } from "@confcom/kubernetes";
import { type Check, expect, expectEqual } from "../../check.ts";
import { until } from "../observe/until.ts";
import type { ClusterScene } from "../scene.ts";
import { EPC_MIB, SGX_NODE } from "../scene-names.ts";
import { podManifest } from "../workload/pod-manifest.ts";
import { withoutHelper } from "../workload/without-helper.ts";

const PARTS = 4;

export const filledNode: readonly Check<ClusterScene>[] = [
  {
    name: "applications hold all EPC of a node: the helper, system-node-critical, still gets its own",
    deadline: 180_000,
    async run(scene) {
      await scene.installed();
      const { api, applications: namespace } = scene;
      return withoutHelper(scene, async (bring) => {
        const names = Array.from({ length: PARTS }, () => scene.fresh("fills"));
        for (const name of names) {
          const limits = { [AZURE_EPC_RESOURCE]: EPC_MIB / PARTS };
          const args = ["--hold"];
          await api.create(podManifest({ name, namespace, node: SGX_NODE, image: scene.images.probe, args, limits }));
        }
        await Promise.all(names.map((name) => scene.phase(namespace, name, "Running", 30_000)));
        const extra = scene.fresh("finds-none");
        const limits = { [AZURE_EPC_RESOURCE]: 1 };
        await api.create(podManifest({ name: extra, namespace, node: SGX_NODE, image: scene.images.probe, limits }));
        await until("one MiB more is refused", 15_000, async () => {
          const { status } = await api.pod(namespace, extra);
          const scheduled = status.conditions?.find(({ type }) => type === "PodScheduled");
          expect(scheduled?.message?.includes(`Insufficient ${AZURE_EPC_RESOURCE}`) === true, scheduled?.message ?? "");
        });
        await api.deletePod(namespace, extra, 0);

        await bring();
        const { ms, value: helper } = await scene.ready(QUOTE_HELPER_NAME, SGX_NODE, 60_000);
        expectEqual(helper.spec.priorityClassName, "system-node-critical", "priority class");
        const victims = (await api.events("reason=Preempted")).filter(({ involvedObject }) =>
          names.includes(involvedObject.name),
        );
        expectEqual(victims.length, 1, "pods preempted");
        const left = (await api.pods("", namespace)).filter(({ metadata }) => names.includes(metadata.name));
        const running = left.filter(({ status }) => status.phase === "Running");
        expectEqual(running.length, PARTS - 1, "application pods that still run");
        await Promise.all(names.map((name) => api.deletePod(namespace, name, 0)));
        scene.figures["helper on a filled node"] = { readyMs: ms };
        return `${PARTS} pods held all ${EPC_MIB} MiB, one MiB more stayed Pending; helper ready after ${(ms / 1000).toFixed(1)} s: ${victims[0]?.message}; ${PARTS - 1} pods run on`;
      });
    },
  },
];
