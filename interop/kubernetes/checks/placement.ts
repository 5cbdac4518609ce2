import { CAPABLE_LABEL, PLUGIN_NAME, QUOTE_HELPER_NAME } from "@confcom/kubernetes";
import { type Check, expectEqual } from "../../check.ts";
import type { ClusterScene } from "../scene.ts";
import { NAMESPACE, PLAIN_NODE, SECOND_SGX_NODE, SGX_NODE } from "../scene-names.ts";

export const placement: readonly Check<ClusterScene>[] = [
  {
    name: "two nodes with SGX and one without: one helper per SGX node, none elsewhere, by label from hardware",
    deadline: 180_000,
    async run(scene) {
      await scene.secondNode();
      const helpers = await scene.api.pods(`app=${QUOTE_HELPER_NAME}`, NAMESPACE);
      const where = helpers.map(({ spec }) => spec.nodeName).sort();
      expectEqual(where.join(), `${SGX_NODE},${SECOND_SGX_NODE}`, "nodes of the quote helper");
      const { status } = await scene.api.daemonSet(NAMESPACE, QUOTE_HELPER_NAME);
      expectEqual(status.desiredNumberScheduled, 2, "helpers wanted");
      const labels = (await scene.api.nodes()).map(
        ({ metadata }) => `${metadata.name}=${metadata.labels?.[CAPABLE_LABEL] ?? "-"}`,
      );
      expectEqual(labels.sort().join(" "), `${PLAIN_NODE}=- ${SGX_NODE}=true ${SECOND_SGX_NODE}=true`, CAPABLE_LABEL);
      const plain = await scene.pluginStatus(PLAIN_NODE);
      expectEqual(plain.state, "idle", `state of ${PLUGIN_NAME} on the node without SGX`);
      expectEqual(plain.resources.length, 0, "resources offered without SGX");
      const second = await scene.pluginStatus(SECOND_SGX_NODE);
      expectEqual(second.sgx.epc.perNumaNode.length, 2, "NUMA nodes of the second node's EPC");
      return `helper on ${where.join(" and ")}; ${labels.join(", ")}; plugin on ${PLAIN_NODE} is idle: ${plain.sgx.devices.problems[0] ?? "no device"}`;
    },
  },
];
