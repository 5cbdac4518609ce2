import { DEVICE_PLUGIN_DIRECTORY, INTEL_EPC_RESOURCE, PLUGIN_NAME, QUOTE_HELPER_NAME } from "@confcom/kubernetes";
import { until } from "../observe/until.ts";
import type { ClusterScene } from "../scene.ts";
import { NAMESPACE, PLAIN_NODE, SECOND_SGX_NODE, SGX_NODE } from "../scene-names.ts";
import { pod } from "./addon-status-applications.ts";
import type { Complaint } from "./addon-status-complaint.ts";

/** Port of the API server, behind its Service. */
const API_PORT = "6443";

/** What goes wrong on a node. */
export const nodeComplaints: readonly Complaint[] = [
  {
    name: "the SGX device has another name after a driver's update",
    codes: ["DEVICE_MISSING"],
    async make(scene) {
      const { fixture } = scene.node(SGX_NODE);
      fixture.removeDevice("sgx_enclave");
      return async () => fixture.addDevice("sgx_enclave");
    },
  },
  {
    name: "a spot pool's taint is not tolerated",
    codes: ["TAINT_NOT_TOLERATED"],
    async make(scene) {
      const path = `/api/v1/nodes/${SECOND_SGX_NODE}`;
      await scene.api.patch(path, { spec: { taints: [{ key: "spot", value: "true", effect: "NoSchedule" }] } });
      const pods = await Promise.all(
        [PLUGIN_NAME, QUOTE_HELPER_NAME].map((name) => scene.podOf(name, SECOND_SGX_NODE)),
      );
      await Promise.all(pods.map(({ metadata }) => scene.api.deletePod(NAMESPACE, metadata.name)));
      return () => scene.api.patch(path, { spec: { taints: null } });
    },
  },
  {
    name: "egress to the API server is blocked on a node",
    codes: ["NODE_STATUS_CUT_OFF"],
    async make(scene) {
      const node = scene.node(SGX_NODE);
      const rule = ["FORWARD", "-p", "tcp", "--dport", API_PORT, "-j", "DROP"];
      await node.exec(["iptables", "-I", ...rule]);
      return () => node.exec(["iptables", "-D", ...rule]);
    },
  },
  {
    name: "another vendor's plugin runs on a node",
    codes: ["TWO_PLUGINS"],
    make: (scene) =>
      pod(scene, {
        name: "intel-sgx-plugin",
        node: SGX_NODE,
        volumes: [{ name: "kubelet", hostPath: { path: DEVICE_PLUGIN_DIRECTORY } }],
        mounts: [{ name: "kubelet", mountPath: DEVICE_PLUGIN_DIRECTORY }],
      }),
  },
  {
    name: "a counter that nobody serves any more stays on a node",
    codes: ["STALE_CAPACITY"],
    async make(scene) {
      const counter = (value: string | null) =>
        scene.api.patch(`/api/v1/nodes/${PLAIN_NODE}/status`, {
          status: { capacity: { [INTEL_EPC_RESOURCE]: value }, allocatable: { [INTEL_EPC_RESOURCE]: value } },
        });
      await counter("1Gi");
      return () => gone(scene, () => counter(null));
    },
  },
];

/** The kubelet may write what it has just read once more. */
function gone(scene: ClusterScene, remove: () => Promise<unknown>): Promise<unknown> {
  return until("the counter is gone", 30_000, async () => {
    await remove();
    const { status } = await scene.api.node(PLAIN_NODE);
    if (status.allocatable[INTEL_EPC_RESOURCE] !== undefined) throw new Error("it is still there");
  });
}
