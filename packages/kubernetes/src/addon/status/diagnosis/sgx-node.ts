import { NODE_STATUS_NAME } from "../../../manifests/object-names.ts";
import type { NodeFacts } from "../facts/cluster-facts.ts";
import type { DaemonProblem } from "../facts/daemon-facts.ts";
import { type ClusterView, sgxEvidence } from "./cluster-view.ts";
import { nodeName, type Problem, problem } from "./problem.ts";
import type { ProblemCode } from "./problem-codes.ts";

/** What a plugin says about its node → the problem. Null: of no interest, or told elsewhere. */
const BY_PLUGIN_CODE: Readonly<Record<string, ProblemCode>> = {
  SGX_DEVICE_MISSING: "DEVICE_MISSING",
  SGX_DEVICE_KIND: "DEVICE_UNUSABLE",
  SGX_DEVICE_LINK: "DEVICE_UNUSABLE",
  SGX_DEVICE_PERMISSION: "DEVICE_UNUSABLE",
  SGX_DEVICE_MODE: "DEVICE_RIGHTS",
  SGX_DRIVER_EPID: "DRIVER_EPID",
  SGX_PROVISION_MISSING: "PROVISION_DEVICE_MISSING",
  SGX_EPC_UNKNOWN: "EPC_UNKNOWN",
  EPC_LIST_TOO_LARGE: "EPC_LIST_TOO_LARGE",
  DEVICE_LIST_TOO_LARGE: "EPC_LIST_TOO_LARGE",
  EPC_OVERCOMMITTED: "EPC_OVERCOMMITTED",
  FOREIGN_DEVICE_PLUGIN: "TWO_PLUGINS",
  ENDPOINT_UNUSABLE: "KUBELET_REGISTRATION",
  KUBELET_UNREACHABLE: "KUBELET_REGISTRATION",
  KUBELET_REFUSED_REGISTRATION: "KUBELET_REGISTRATION",
  KUBELET_NEVER_CALLED: "KUBELET_REGISTRATION",
};

const BY_NODE_STATUS_CODE: Readonly<Record<string, ProblemCode>> = {
  API_SERVER_UNREACHABLE: "NODE_STATUS_CUT_OFF",
  API_SERVER_UNAUTHORIZED: "NODE_STATUS_REFUSED",
  API_SERVER_FORBIDDEN: "NODE_STATUS_REFUSED",
  API_SERVER_REFUSED: "NODE_STATUS_REFUSED",
  API_CREDENTIALS_UNREADABLE: "NODE_STATUS_REFUSED",
  COUNTER_CONTESTED: "COUNTER_CONTESTED",
};

/** The daemon names its own flags here; who runs the add-on sets values. */
const TOLD_BY_VALUES: ReadonlySet<ProblemCode> = new Set(["EPC_UNKNOWN", "EPC_LIST_TOO_LARGE"]);

/** Problems of a daemon that its row here or another diagnosis tells of. */
export function isTold(daemon: string, code: string): boolean {
  return Object.hasOwn(daemon === NODE_STATUS_NAME ? BY_NODE_STATUS_CODE : BY_PLUGIN_CODE, code);
}

/** What the daemons of each node found there: devices, EPC, kubelet, API server. One for each code and node. */
export function sgxNodeProblems(view: ClusterView): Problem[] {
  return view.snapshot.nodes.flatMap((node) => {
    const found = new Map<ProblemCode, Problem>();
    const add = (code: ProblemCode | undefined, { message, nextStep }: DaemonProblem) => {
      if (code === undefined || found.has(code)) return;
      const exact = nextStep === "" || TOLD_BY_VALUES.has(code) ? undefined : nextStep;
      found.set(code, problem(code, nodeName(node.name), message, exact));
    };
    const plugin = view.plugin(node.name);
    for (const each of plugin?.problems ?? []) {
      if (isExpectedWithoutSgx(view, node, each.code)) continue;
      add(Object.hasOwn(BY_PLUGIN_CODE, each.code) ? BY_PLUGIN_CODE[each.code] : undefined, each);
    }
    if (plugin?.state === "refused") {
      const message = plugin.resources.find((resource) => resource.problem !== undefined)?.problem;
      add("TWO_PLUGINS", {
        code: "",
        message: message ?? "another plugin owns our resources on this node",
        nextStep: "",
      });
    }
    for (const { problems } of view.daemons(NODE_STATUS_NAME).filter((each) => each.node === node.name)) {
      for (const each of problems) {
        add(Object.hasOwn(BY_NODE_STATUS_CODE, each.code) ? BY_NODE_STATUS_CODE[each.code] : undefined, each);
      }
    }
    return [...found.values()];
  });
}

/** A machine without SGX has no devices and no EPC, and nothing is wrong with it. */
function isExpectedWithoutSgx(view: ClusterView, node: NodeFacts, code: string): boolean {
  const plugin = view.plugin(node.name);
  if (code === "SGX_EPC_UNKNOWN") return plugin?.sgx.devices.enclave == null;
  if (code !== "SGX_DEVICE_MISSING" && code !== "SGX_PROVISION_MISSING") return false;
  return plugin?.sgx.devices.enclave == null && sgxEvidence(node, plugin) === undefined;
}
