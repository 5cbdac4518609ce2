import { type Check, expect, expectEqual } from "../../check.ts";
import type { ClusterScene } from "../scene.ts";
import { EPC_MIB, SGX_NODE } from "../scene-names.ts";
import { applicationComplaints } from "./addon-status-applications.ts";
import { reproduced, statusOf } from "./addon-status-complaint.ts";
import { installationComplaints } from "./addon-status-installation.ts";
import { nodeComplaints } from "./addon-status-nodes.ts";

/** Those that want other values come last. */
const complaints = [...applicationComplaints, ...installationComplaints, ...nodeComplaints].sort(
  (a, b) => Number(a.values !== undefined) - Number(b.values !== undefined),
);

export const addonStatusChecks: readonly Check<ClusterScene>[] = [
  {
    name: "addon status of a healthy cluster: every figure there, no problem, exit 0",
    deadline: 240_000,
    async run(scene) {
      await scene.withAddon();
      const { status, exit } = await statusOf(scene);
      const causes = status.problems.map(({ code, cause }) => `${code}: ${cause}`).join(" | ");
      expectEqual(status.problems.length, 0, `problems (${causes})`);
      expectEqual(exit, 0, "exit status");
      const node = status.nodes.find(({ name }) => name === SGX_NODE);
      expectEqual(node?.epc.totalMiB, EPC_MIB, "EPC of the node");
      expectEqual(node?.helper?.ready, true, "its helper");
      expectEqual(status.webhook?.up, true, "the webhook");
      expect(status.quoteRoot !== null, "no root is shown");
      const { stdout } = await scene.confcom(["addon", "status"]);
      expect(stdout.startsWith("confcom in kube-system: no problems"), stdout.slice(0, 200));
      return `${status.components.map(({ name, ready }) => `${name} ${ready}`).join(", ")}; ${status.nodes.length} nodes, EPC ${node?.epc.allocatedMiB} of ${node?.epc.totalMiB} MiB allocated on ${SGX_NODE}`;
    },
  },
  ...complaints.map(
    (complaint): Check<ClusterScene> => ({
      name: `addon status, ${complaint.name}: ${complaint.codes.join(", ")}, and nothing else`,
      deadline: 420_000,
      run: (scene) => reproduced(scene, complaint),
    }),
  ),
];
