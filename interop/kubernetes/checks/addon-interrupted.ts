import { type Check, expect, expectEqual } from "../../check.ts";
import { difference, installedObjects } from "../observe/installed-objects.ts";
import { type ClusterScene, NAMESPACE } from "../scene.ts";
import { addonCommand, expectDone, withoutTheAddon } from "../workload/addon-command.ts";

const POINTS = 10;

const enableArguments = (values: string) => ["enable", "--enable-sgxquotehelper", "--no-wait", "--values", values];

export const addonInterrupted: readonly Check<ClusterScene>[] = [
  {
    name: "addon: enable killed with SIGKILL at ten points and run again: the same objects as from one that was left alone",
    deadline: 900_000,
    async run(scene) {
      await scene.up();
      const values = scene.valuesFile();
      await withoutTheAddon(scene);
      const began = performance.now();
      expectDone(await addonCommand(scene, enableArguments(values)), "enable");
      const whole = performance.now() - began;
      const expected = await installedObjects(scene);
      const reached: string[] = [];
      for (let point = 0; point < POINTS; point++) {
        await withoutTheAddon(scene);
        expectEqual((await installedObjects(scene)).length, 0, "objects after disable");
        // Before the first call nothing can be interrupted: the first part of the time is Node's own start.
        const after = whole * (0.25 + (0.75 * (point + 0.5)) / POINTS);
        await killedAfter(scene, enableArguments(values), after);
        const found = (await installedObjects(scene)).length;
        reached.push(`${Math.round(after)} ms: ${found} of ${expected.length}`);
        const again = await addonCommand(scene, enableArguments(values));
        // The last kill may come too late.
        expect(again.status === 0 || again.stderr.includes("already enabled"), `again: ${again.stderr}`);
        const differing = difference(expected, await installedObjects(scene));
        expect(differing.length === 0, `killed after ${after} ms: ${differing.join("\n").slice(0, 2000)}`);
      }
      scene.figures["addon enable killed"] = reached;
      expect(
        new Set(reached.map((text) => text.split(": ")[1])).size > 2,
        `no kill was in the middle: ${reached.join("; ")}`,
      );
      return `objects at the kill: ${reached.join("; ")}`;
    },
  },
  {
    name: "addon: disable killed with SIGKILL and run again leaves no object; enable in between is refused",
    deadline: 240_000,
    async run(scene) {
      await scene.withAddon();
      await killedAfter(scene, ["disable", "--force", "--yes", "--no-wait"], 2_000);
      const phase = (
        await scene.cluster.kubectl(["-n", NAMESPACE, "get", "configmap", "sgx-addon", "-o", "jsonpath={.data.phase}"])
      ).stdout;
      expectEqual(phase, "disabling", "phase after the kill");
      const refused = await addonCommand(scene, enableArguments(scene.valuesFile()));
      expectEqual(refused.status, 76, "exit status of enable");
      expect(refused.stderr.includes("ADDON_DISABLING"), refused.stderr);
      await withoutTheAddon(scene);
      expectEqual((await installedObjects(scene)).join(), "", "objects");
      return "phase disabling: enable 76 ADDON_DISABLING; disable again: no object";
    },
  },
];

async function killedAfter(scene: ClusterScene, [verb = "", ...flags]: readonly string[], ms: number): Promise<void> {
  const command = scene.spawnConfcom(["addon", verb, "-a", "confcom", ...flags]);
  command.stdin?.end();
  command.stdout?.resume();
  command.stderr?.resume();
  const ended = new Promise((resolve) => command.on("exit", resolve));
  await new Promise((resolve) => setTimeout(resolve, ms));
  command.kill("SIGKILL");
  await ended;
}
