import {
  add,
  all,
  change,
  type Fault,
  notReady,
  one,
  pluginProblem,
  status,
  waiting,
  without,
} from "./cluster-faults.ts";
import { daemonProblem, INTEL, pod } from "./cluster-objects.ts";

/** Of nodes and what runs on them. */
export const NODE_FAULTS: readonly Fault[] = [
  one("the device has gone", "DEVICE_MISSING", pluginProblem("SGX_DEVICE_MISSING")),
  one("a directory in place of the device", "DEVICE_UNUSABLE", pluginProblem("SGX_DEVICE_KIND")),
  one("the device is root's alone", "DEVICE_RIGHTS", pluginProblem("SGX_DEVICE_MODE")),
  one("only /dev/isgx", "DRIVER_EPID", pluginProblem("SGX_DRIVER_EPID", "plain-1")),
  one("no provisioning device", "PROVISION_DEVICE_MISSING", pluginProblem("SGX_PROVISION_MISSING")),
  one("EPC unknown", "EPC_UNKNOWN", pluginProblem("SGX_EPC_UNKNOWN")),
  one("more EPC than a list may have", "EPC_LIST_TOO_LARGE", pluginProblem("EPC_LIST_TOO_LARGE")),
  one("EPC shrank under its holders", "EPC_OVERCOMMITTED", pluginProblem("EPC_OVERCOMMITTED")),
  one("the kubelet is too old", "KUBELET_REGISTRATION", pluginProblem("KUBELET_NEVER_CALLED")),
  one(
    "somebody else's plugin owns the name",
    "TWO_PLUGINS",
    all(
      change(
        "pods",
        "sgx-plugin-sgx-1",
        "status/containerStatuses",
        waiting("sgx-plugin", "CrashLoopBackOff", { lastState: { terminated: { exitCode: 76 } } }),
      ),
      change("pods", "sgx-plugin-sgx-1", "status/conditions", notReady),
      (cluster) => delete cluster.statuses["sgx-plugin-sgx-1:9101"],
    ),
  ),
  one(
    "Intel's plugin runs too",
    "TWO_PLUGINS",
    add(
      "pods",
      pod("inteldeviceplugins-system", "intel-sgx-plugin-x", "sgx-1", {
        container: { image: "intel/intel-sgx-plugin:0.32" },
        spec: { volumes: [{ name: "v", hostPath: { path: "/var/lib/kubelet/device-plugins" } }] },
      }),
    ),
  ),
  one(
    "another counter",
    "COUNTER_CONTESTED",
    status("sgx-plugin-sgx-1:9102", "problems", [daemonProblem("COUNTER_CONTESTED")]),
  ),
  one(
    "no way to the API server from a node where the webhook runs too",
    "NODE_STATUS_CUT_OFF",
    all(
      status("sgx-plugin-sgx-1:9102", "problems", [daemonProblem("API_SERVER_UNREACHABLE")]),
      status("sgx-webhook-b:9104", "problems", [daemonProblem("API_SERVER_UNREACHABLE")]),
    ),
  ),
  one(
    "a spot pool",
    "TAINT_NOT_TOLERATED",
    all(
      change("nodes", "sgx-2", "spec/taints", [{ key: "spot", value: "true", effect: "NoSchedule" }]),
      change("nodes", "sgx-2", "metadata/labels", { "node.kubernetes.io/instance-type": "Standard_DC8s_v3" }),
      change("nodes", "sgx-2", "status/capacity", {}),
      change("nodes", "sgx-2", "status/allocatable", {}),
      without("pods", "sgx-plugin-sgx-2"),
      without("pods", "sgx-quote-helper-sgx-2"),
      without("pods", "as-aks"),
    ),
  ),
  one("a selector keeps the plugin away", "PLUGIN_NOT_ON_NODE", without("pods", "sgx-plugin-sgx-2")),
  one(
    "no way to the API server",
    "NODE_STATUS_CUT_OFF",
    status("sgx-plugin-sgx-1:9102", "problems", [daemonProblem("API_SERVER_UNREACHABLE")]),
  ),
  one(
    "roles are missing",
    "NODE_STATUS_REFUSED",
    status("sgx-plugin-sgx-1:9102", "problems", [daemonProblem("API_SERVER_FORBIDDEN")]),
  ),
  one("an update stands still", "VERSION_SKEW", status("sgx-quote-helper-sgx-1:9103", "version", "0.0.9")),
  one(
    "a resource that nobody serves",
    "STALE_CAPACITY",
    change("nodes", "plain-1", "status/allocatable", { [INTEL]: "1Gi" }),
  ),
];
