import { expect } from "../../check.ts";
import type { Finished } from "../cluster/cluster.ts";
import type { ClusterScene } from "../scene.ts";

/** Longer than a kubelet shows the resources of a plugin that is gone. */
const LIMIT = 420_000;

/** `confcom addon VERB -a confcom FLAGS`, however it ends. */
export function addonCommand(scene: ClusterScene, [verb = "", ...flags]: readonly string[]): Promise<Finished> {
  return scene.confcom(["addon", verb, "-a", "confcom", ...flags], { timeoutMs: LIMIT });
}

export function expectDone(finished: Finished, what: string): Finished {
  const { status, stdout, stderr } = finished;
  expect(status === 0, `${what}: exit ${status}: ${`${stderr}${stdout}`.trim().slice(-2000)}`);
  return finished;
}

/** Nothing of the add-on in the cluster but what kubelets still show of its resources. */
export async function withoutTheAddon(scene: ClusterScene): Promise<void> {
  const { status, stderr } = await addonCommand(scene, ["disable", "--force", "--yes", "--no-wait"]);
  expect(status === 0 || stderr.includes("is not installed."), `disable: exit ${status}: ${stderr.slice(-2000)}`);
}
