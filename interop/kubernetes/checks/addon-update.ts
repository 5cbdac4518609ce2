import { type Check, expect, expectEqual } from "../../check.ts";
import type { ClusterScene } from "../scene.ts";
import { NAMESPACE } from "../scene-names.ts";
import { addonCommand, expectDone } from "../workload/addon-command.ts";

interface Changes {
  readonly confcom: { readonly objects: readonly { readonly action: string; readonly object: string }[] };
}

const STATE = `/api/v1/namespaces/${NAMESPACE}/configmaps/sgx-addon`;

export const addonUpdate: readonly Check<ClusterScene>[] = [
  {
    name: "addon: a dry run says object by object what an update would do; the update does that; without the flag the helper goes",
    deadline: 300_000,
    async run(scene) {
      await scene.withAddon();
      const same = await dryRun(scene, ["--enable-sgxquotehelper"]);
      expectEqual(same.filter(({ action }) => action !== "unchanged").length, 0, "changes by an update to the same");
      const debug = ["--enable-sgxquotehelper", "--set", "logLevel=debug"];
      const changed = (await dryRun(scene, debug)).filter(({ action }) => action === "changed");
      const names = changed
        .map(({ object }) => object)
        .sort()
        .join(", ");
      expect(/DaemonSet kube-system\/sgx-plugin/.test(names) && !/Role/.test(names), names);
      expectDone(await addonCommand(scene, ["update", ...debug]), "update");
      const without = await addonCommand(scene, ["update", "--no-wait"]);
      expectDone(without, "update without the flag");
      expect(/WARNING: without --enable-sgxquotehelper/.test(without.stderr), without.stderr);
      const { stdout } = await scene.cluster.kubectl([
        "-n",
        NAMESPACE,
        "get",
        "daemonsets,deployments,pvc",
        "-o",
        "name",
      ]);
      expect(!stdout.includes("sgx-quote-helper") && !stdout.includes("deployment.apps/sgx-pccs"), stdout);
      expect(stdout.includes("persistentvolumeclaim/sgx-pccs"), `the claim with the root is gone: ${stdout}`);
      expectDone(await addonCommand(scene, ["update", "--enable-sgxquotehelper"]), "update with the flag");
      return `unchanged: ${same.length} objects; log level: ${names}; without the flag helper and PCCS gone, claim kept`;
    },
  },
  {
    name: "addon: a downgrade prunes what the newer version added, and a state that it cannot read is refused",
    deadline: 240_000,
    async run(scene) {
      await scene.withAddon();
      const added = {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: {
          name: "of-a-newer-version",
          namespace: NAMESPACE,
          labels: { "app.kubernetes.io/part-of": "confcom" },
        },
      };
      const theirs = { ...added, metadata: { ...added.metadata, name: "of-somebody-else" } };
      const apply = (manager: string) => ["apply", "--server-side", "--field-manager", manager, "-f", "-"];
      await scene.cluster.kubectl(apply("confcom-addon"), { input: JSON.stringify(added) });
      await scene.cluster.kubectl(apply("somebody"), { input: JSON.stringify(theirs) });
      await scene.api.patch(STATE, { data: { version: "9.0.0", schema: "7" } });
      expectDone(await addonCommand(scene, ["update", "--enable-sgxquotehelper"]), "downgrade");
      const left = (await scene.cluster.kubectl(["-n", NAMESPACE, "get", "configmaps", "-o", "name"])).stdout;
      expect(!left.includes("of-a-newer-version") && left.includes("of-somebody-else"), left);
      await scene.cluster.kubectl(["-n", NAMESPACE, "delete", "configmap", "of-somebody-else"]);
      await scene.api.patch(STATE, { data: { version: "9.0.0", "readable-by": "2" } });
      const refused = await addonCommand(scene, ["update", "--enable-sgxquotehelper"]);
      await scene.api.patch(STATE, { data: { "readable-by": "1" } });
      expectEqual(refused.status, 78, "exit status");
      expect(/ADDON_STATE_NEWER: .*written by confcom 9\.0\.0/.test(refused.stderr), refused.stderr);
      return "the newer version's ConfigMap pruned, somebody else's with the same label kept; readable-by 2: 78 ADDON_STATE_NEWER";
    },
  },
];

async function dryRun(scene: ClusterScene, flags: readonly string[]): Promise<Changes["confcom"]["objects"]> {
  const { stdout } = expectDone(await addonCommand(scene, ["update", ...flags, "--dry-run"]), "dry run");
  return (JSON.parse(stdout) as Changes).confcom.objects;
}
