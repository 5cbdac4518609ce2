import { type Check, expect, expectEqual } from "../../check.ts";
import { difference, installedObjects } from "../observe/installed-objects.ts";
import type { ClusterScene } from "../scene.ts";
import { NAMESPACE } from "../scene-names.ts";
import { addonCommand, expectDone, withoutTheAddon } from "../workload/addon-command.ts";
import { killAtWrite, killed } from "../workload/killed-command.ts";

const POINTS = 10;

/** Of an installation of some forty objects. */
const DISABLE_WRITES = [2, 14, 26] as const;

const enableArguments = (values: string) => ["enable", "--enable-sgxquotehelper", "--no-wait", "--values", values];
const DISABLE = ["disable", "--force", "--yes", "--no-wait"] as const;

export const addonInterrupted: readonly Check<ClusterScene>[] = [
  {
    name: "addon: enable killed with SIGKILL at ten objects and run again: the same objects as from one that was left alone",
    deadline: 900_000,
    async run(scene) {
      await scene.up();
      const values = scene.valuesFile();
      await withoutTheAddon(scene);
      expectDone(await addonCommand(scene, enableArguments(values)), "enable");
      const expected = await installedObjects(scene);
      const reached: string[] = [];
      for (let point = 0; point < POINTS; point++) {
        await withoutTheAddon(scene);
        expectEqual((await installedObjects(scene)).length, 0, "objects after disable");
        const writes = Math.round(((point + 0.5) / POINTS) * expected.length);
        await killedAt(scene, enableArguments(values), writes);
        const found = (await installedObjects(scene)).length;
        expect(
          found > 0 && found < expected.length,
          `killed at write ${writes}: ${found} of ${expected.length} objects`,
        );
        reached.push(`${found} of ${expected.length}`);
        expectDone(await addonCommand(scene, enableArguments(values)), "enable again");
        const differing = difference(expected, await installedObjects(scene));
        expect(differing.length === 0, `killed at write ${writes}: ${differing.join("\n").slice(0, 2000)}`);
      }
      scene.figures["addon enable killed"] = reached;
      expect(new Set(reached).size >= POINTS - 2, `kills were at the same objects: ${reached.join("; ")}`);
      return `objects at the kill: ${reached.join("; ")}`;
    },
  },
  {
    name: "addon: disable killed with SIGKILL at three objects and run again leaves no object; enable in between is refused",
    deadline: 480_000,
    async run(scene) {
      await scene.withAddon();
      const values = scene.valuesFile();
      const reached: string[] = [];
      for (const writes of DISABLE_WRITES) {
        // In the first turn it is enabled already.
        const enabled = await addonCommand(scene, enableArguments(values));
        expect(enabled.status === 0 || enabled.stderr.includes("already enabled"), enabled.stderr);
        await killedAt(scene, DISABLE, writes);
        const found = (await installedObjects(scene)).length;
        expect(found > 1, `disable was killed at write ${writes} with ${found} objects left`);
        reached.push(String(found));
        const phase = ["get", "configmap", "sgx-addon", "-o", "jsonpath={.data.phase}"];
        const { stdout } = await scene.cluster.kubectl(["-n", NAMESPACE, ...phase]);
        expectEqual(stdout, "disabling", "phase after the kill");
        const refused = await addonCommand(scene, enableArguments(values));
        expectEqual(refused.status, 76, "exit status of enable");
        expect(refused.stderr.includes("ADDON_DISABLING"), refused.stderr);
        await withoutTheAddon(scene);
        expectEqual((await installedObjects(scene)).join(), "", "objects");
      }
      scene.figures["addon disable killed"] = reached;
      return `objects left at the kill: ${reached.join("; ")}; phase disabling: enable 76 ADDON_DISABLING; disable again: no object`;
    },
  },
];

function killedAt(scene: ClusterScene, [verb = "", ...flags]: readonly string[], writes: number): Promise<void> {
  return killed(scene.spawnConfcom(["addon", verb, "-a", "confcom", ...flags], { env: killAtWrite(writes) }));
}
