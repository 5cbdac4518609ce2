import { OWN_RESOURCES } from "@confcom/kubernetes";
import { type Check, expect, expectEqual } from "../../check.ts";
import { difference, everyObject } from "../observe/installed-objects.ts";
import type { ClusterScene } from "../scene.ts";
import { SGX_NODE } from "../scene-names.ts";
import { addonCommand, expectDone, withoutTheAddon } from "../workload/addon-command.ts";
import { EpcPods } from "../workload/epc-pods.ts";

interface DisableResult {
  readonly confcom: { readonly seconds: number; readonly objects: { readonly pruned: number } };
}

export const addonDisable: readonly Check<ClusterScene>[] = [
  {
    name: "addon: disable names the pods that hold EPC and refuses; forced, they go on running",
    deadline: 240_000,
    async run(scene) {
      await scene.withAddon();
      const pods = await EpcPods.start(scene, SGX_NODE, [5, 7]);
      const refused = await addonCommand(scene, ["disable", "--yes"]);
      expectEqual(refused.status, 76, "exit status");
      for (const name of pods.names) {
        expect(refused.stderr.includes(`${scene.applications}/${name} on ${SGX_NODE}`), refused.stderr);
      }
      expectEqual((await scene.confcom(["addon", "show", "-a", "confcom"])).status, 0, "exit status of show");
      await withoutTheAddon(scene);
      await pods.expectUntouched();
      await pods.stop();
      return /ADDON_IN_USE: (.*)/.exec(refused.stderr)?.[1] ?? "";
    },
  },
  {
    // The one check that waits for the five minutes of the kubelets.
    name: "addon: enabled and disabled leaves nothing: every object of every kind, labels and resources of the nodes",
    deadline: 600_000,
    async run(scene) {
      await scene.up();
      await withoutTheAddon(scene);
      // Kubelets may still show what earlier checks left; after this one they must not.
      const before = await everyObject(scene, OWN_RESOURCES);
      expectDone(
        await addonCommand(scene, ["enable", "--enable-sgxquotehelper", "--values", scene.valuesFile()]),
        "enable",
      );
      const during = difference(before, await everyObject(scene)).length;
      expect(during > 30, `only ${during} differences while it was enabled`);
      const { stdout } = expectDone(await addonCommand(scene, ["disable", "--yes"]), "disable");
      const { confcom } = JSON.parse(stdout) as DisableResult;
      const left = difference(before, await everyObject(scene));
      expect(left.length === 0, left.join("\n").slice(0, 3000));
      const twice = await addonCommand(scene, ["disable", "--yes"]);
      expectEqual(twice.status, 1, "exit status of disabling twice");
      expect(twice.stderr.includes("ERROR: The addon ACCSGXDevicePlugin is not installed."), twice.stderr);
      return `${before.length} objects and nodes before and after, ${during} differences between; ${confcom.objects.pruned} objects removed, nodes clean after ${confcom.seconds} s`;
    },
  },
];
