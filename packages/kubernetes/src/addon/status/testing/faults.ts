import type { ProblemCode } from "../diagnosis/problem-codes.ts";
import {
  AZURE,
  daemonProblem,
  event,
  type FakeCluster,
  INTEL,
  LISTS,
  type Loose,
  limits,
  OBJECTS,
  OTHER_ROOT,
  pod,
  put,
} from "./healthy-cluster.ts";

/** One thing that is wrong in a cluster that is otherwise healthy, and all that is to be said about it. */
export interface Fault {
  readonly name: string;
  readonly codes: readonly ProblemCode[];
  readonly make: (cluster: FakeCluster) => void;
  /** Milliseconds since 1970; default NOW. */
  readonly now?: number;
}

type Make = Fault["make"];

const named = (list: keyof typeof LISTS, name: string) => (cluster: FakeCluster) => {
  const found = cluster.lists[LISTS[list]]?.find(
    (each) => (each as { metadata: { name: string } }).metadata.name === name,
  );
  if (found === undefined) throw new Error(`no ${name} in ${list}`);
  return found;
};
const change =
  (list: keyof typeof LISTS, name: string, path: string, value: unknown): Make =>
  (cluster) =>
    put(named(list, name)(cluster), path, value);
const status =
  (daemon: string, path: string, value: unknown): Make =>
  (cluster) =>
    put(cluster.statuses[daemon], path, value);
const add =
  (list: keyof typeof LISTS, ...objects: readonly unknown[]): Make =>
  (cluster) => {
    cluster.lists[LISTS[list]]?.push(...objects);
  };
const without =
  (list: keyof typeof LISTS, name: string): Make =>
  (cluster) => {
    const all = cluster.lists[LISTS[list]] ?? [];
    all.splice(all.indexOf(named(list, name)(cluster)), 1);
  };
const all =
  (...makes: readonly Make[]): Make =>
  (cluster) => {
    for (const make of makes) make(cluster);
  };
const one = (name: string, code: ProblemCode, make: Make, now?: number): Fault => ({
  name,
  codes: [code],
  make,
  ...(now === undefined ? {} : { now }),
});

const VARIABLE = [{ name: "SGX_AESM_ADDR", value: "1" }];
/** An application with the AESM variable that mounts something at a path. */
const mounting = (volume: Loose, mountPath: string, mount: Loose = {}): Make =>
  add(
    "pods",
    pod("team", "faulty", "sgx-1", {
      container: { ...limits({ [AZURE]: "1" }), env: VARIABLE, volumeMounts: [{ name: "v", mountPath, ...mount }] },
      spec: { volumes: [{ name: "v", ...volume }] },
    }),
  );
const asking = (resources: Readonly<Record<string, string>>, on: string | null = "sgx-1"): Make =>
  add(
    "pods",
    pod("team", "faulty", on, {
      container: limits(resources),
      ...(on === null ? { status: { phase: "Pending", containerStatuses: [], conditions: [] } } : {}),
    }),
  );
const waiting = (name: string, reason: string, more: Loose = {}) =>
  [{ name, ready: false, restartCount: 5, state: { waiting: { reason, message: "so it is" } }, ...more }] as const;
const notReady = [{ type: "Ready", status: "False" }];
const pluginProblem = (code: string, on = "sgx-1") =>
  status(`sgx-plugin-${on}:9101`, "problems", [daemonProblem(code)]);
const failedCreate = (message: string) => add("events", event("Job", "team", "job", "FailedCreate", message));
const provisioning = (message: string) =>
  status("sgx-quote-helper-sgx-1:9103", "provisioning", {
    service: "PCCS at https://sgx-pccs.kube-system.svc:8081",
    ok: false,
    failure: { code: "SOURCE_UNREACHABLE", message },
  });
const counterMode = all(
  status("sgx-plugin-sgx-1:9101", "publishing/mode", "counter"),
  status("sgx-plugin-sgx-1:9101", "counters", [{ name: AZURE, quantity: "512" }]),
);

export const FAULTS: readonly Fault[] = [
  one("nothing is installed", "ADDON_MISSING", (cluster) => {
    for (const list of [LISTS.daemonSets, LISTS.deployments]) cluster.lists[list] = [];
    cluster.lists[LISTS.pods] = [];
    cluster.lists[LISTS.nodes]?.splice(0, 2);
    for (const name of Object.keys(cluster.objects)) delete cluster.objects[name];
  }),
  one("enable was interrupted", "ADDON_INTERRUPTED", (cluster) =>
    put(cluster.objects[OBJECTS.addon], "data/phase", "enabling"),
  ),
  one("quotas may not be listed", "STATUS_INCOMPLETE", (cluster) =>
    Object.assign(cluster.refused, { [LISTS.quotas]: 403 }),
  ),
  one("a daemon does not answer", "DAEMON_UNREADABLE", (cluster) => {
    delete cluster.statuses["sgx-quote-helper-sgx-1:9103"];
  }),
  one("something else answers as the plugin", "DAEMON_UNREADABLE", (cluster) => {
    cluster.statuses["sgx-plugin-sgx-1:9101"] = { version: 1 };
  }),
  one(
    "a daemon has a problem of its own",
    "DAEMON_PROBLEM",
    status("sgx-webhook-a:9104", "problems", [daemonProblem("STRANGE")]),
  ),
  {
    name: "the helper is switched off",
    codes: ["HELPER_OFF", "HELPER_OFF"],
    make: all(
      without("daemonSets", "sgx-quote-helper"),
      without("pods", "sgx-quote-helper-sgx-1"),
      without("pods", "sgx-quote-helper-sgx-2"),
    ),
  },
  one("a node has no helper", "HELPER_NOT_ON_NODE", without("pods", "sgx-quote-helper-sgx-2")),
  one(
    "a helper is not ready and says why",
    "POD_NOT_READY",
    all(
      change("pods", "sgx-quote-helper-sgx-1", "status/conditions", notReady),
      status("sgx-quote-helper-sgx-1:9103", "ready", { ok: false, why: "init_quote_ex fails" }),
    ),
  ),
  one("the helper finds no place", "POD_PENDING", (cluster) => {
    const helper = named("pods", "sgx-quote-helper-sgx-2")(cluster);
    put(helper, "spec/nodeName", null);
    put(helper, "status", {
      phase: "Pending",
      conditions: [{ type: "PodScheduled", status: "False", message: "Insufficient epc" }],
    });
    without("pods", "as-aks")(cluster);
  }),
  one(
    "the webhook ends again and again",
    "CRASH_LOOP",
    all(
      change("pods", "sgx-webhook-a", "status/containerStatuses", waiting("sgx-webhook", "CrashLoopBackOff")),
      change("pods", "sgx-webhook-a", "status/conditions", notReady),
    ),
  ),
  one(
    "the image cannot be pulled",
    "IMAGE_PULL",
    all(
      change("pods", "sgx-webhook-a", "status/containerStatuses", waiting("sgx-webhook", "ImagePullBackOff")),
      change("pods", "sgx-webhook-a", "status/conditions", notReady),
    ),
  ),
  one(
    "the socket's file is mounted",
    "SOCKET_FILE_MOUNTED",
    mounting({ hostPath: { path: "/var/run/aesmd/aesm.socket", type: "Socket" } }, "/var/run/aesmd/aesm.socket"),
  ),
  one(
    "the socket is mounted by subPath",
    "SOCKET_FILE_MOUNTED",
    mounting({ hostPath: { path: "/var/run/aesmd" } }, "/var/run/aesmd", { subPath: "aesm.socket" }),
  ),
  one(
    "the directory is mounted as a file",
    "AESM_DIRECTORY_TYPE",
    mounting({ hostPath: { path: "/var/run/aesmd", type: "Socket" } }, "/var/run/aesmd"),
  ),
  one("the directory is the pod's own", "AESM_DIRECTORY_EMPTY", mounting({ emptyDir: {} }, "/var/run/aesmd")),
  one(
    "another directory of the host is mounted",
    "AESM_DIRECTORY_EMPTY",
    mounting({ hostPath: { path: "/var/run/aesm" } }, "/var/run/aesmd"),
  ),
  one(
    "only the variable is there",
    "OPT_IN_WITHOUT_SOCKET",
    add("pods", pod("team", "faulty", "sgx-1", { container: { ...limits({ [AZURE]: "1" }), env: VARIABLE } })),
  ),
  one(
    "only the annotation is there",
    "OPT_IN_WITHOUT_SOCKET",
    add(
      "pods",
      pod("team", "faulty", "sgx-1", {
        container: limits({ [AZURE]: "1" }),
        annotations: { "sgx.confcom.dev/quote-provider": "aesmd" },
      }),
    ),
  ),
  one(
    "Intel's aesmd runs beside the helper",
    "TWO_AESMS_ON_NODE",
    add(
      "pods",
      pod("sgx", "intel-aesmd-x", "sgx-1", {
        container: {
          name: "aesmd",
          image: "intel/sgx-aesm-demo:1",
          ...limits({ [AZURE]: "1", "sgx.intel.com/provision": "1" }),
          volumeMounts: [{ name: "v", mountPath: "/var/run/aesmd" }],
        },
        spec: { volumes: [{ name: "v", hostPath: { path: "/var/run/aesmd" } }] },
      }),
    ),
  ),
  one(
    "the host's own aesmd took the socket",
    "TWO_AESMS_ON_NODE",
    all(
      status("sgx-quote-helper-sgx-1:9103", "ready", {
        ok: false,
        why: "/var/run/aesmd/aesm.socket is not the socket that this process bound: another process took it over",
      }),
      change("pods", "sgx-quote-helper-sgx-1", "status/conditions", notReady),
    ),
  ),
  one(
    "a sidecar and a slot",
    "SIDECAR_AND_HELPER",
    change("pods", "own-aesm", "spec/containers/1/resources", {
      limits: { [AZURE]: "8", "sgx.confcom.dev/quote": "1" },
    }),
  ),
  one(
    "both ways to quote",
    "BOTH_MODES",
    asking({ [AZURE]: "1", "sgx.intel.com/provision": "1", "sgx.confcom.dev/quote": "1" }),
  ),
  one(
    "both ways to quote, refused",
    "BOTH_MODES",
    failedCreate('ValidatingAdmissionPolicy "sgx-policies-quoting-mode" with binding "x" denied request: no'),
  ),
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
  one("bytes where the nodes have MiB", "EPC_NAME", asking({ [INTEL]: "10Mi" }, null)),
  {
    name: "no node has EPC",
    codes: ["EPC_NOWHERE", "EPC_NOWHERE"],
    make: all(
      asking({ [AZURE]: "1" }, null),
      ...["sgx-1", "sgx-2"].flatMap((name) => [
        change("nodes", name, "status/capacity", {}),
        change("nodes", name, "status/allocatable", {}),
      ]),
    ),
  },
  one("10Mi of MiB", "EPC_SUFFIX", asking({ [AZURE]: "10Mi" }, null)),
  one("10Mi of MiB in bytes", "EPC_SUFFIX", asking({ [AZURE]: "104857600" }, null)),
  one(
    "10Mi of MiB, refused by the policy",
    "EPC_SUFFIX",
    failedCreate('ValidatingAdmissionPolicy "sgx-policies-epc-amount" with binding "x" denied request: no'),
  ),
  one(
    "10Mi of MiB, refused by the webhook",
    "EPC_SUFFIX",
    failedCreate(
      `admission webhook "slot.sgx.confcom.dev" denied the request: container "a" asks for 10Mi of ${AZURE}, which counts MiB: no`,
    ),
  ),
  one("MiB of bytes", "EPC_BYTES", asking({ [INTEL]: "10" }, null)),
  one("more than any node", "EPC_LARGER_THAN_NODES", asking({ [AZURE]: "2000" }, null)),
  one("a counted node and no slot", "ENCLAVE_SLOT_MISSING", all(counterMode, without("pods", "by-slot"))),
  one(
    "provision where it is not allowed",
    "PROVISION_NAMESPACE",
    failedCreate(
      'ValidatingAdmissionPolicy "sgx-policies-provision" with binding "x" denied request: container a asks for sgx.intel.com/provision',
    ),
  ),
  one(
    "a quota on the other name",
    "QUOTA_WITHOUT_EFFECT",
    add("quotas", { metadata: { namespace: "team", name: "q" }, spec: { hard: { [`requests.${INTEL}`]: "1Gi" } } }),
  ),
  one(
    "a quota that is used up",
    "QUOTA_EXCEEDED",
    failedCreate(`pods "x" is forbidden: exceeded quota: epc, requested: requests.${AZURE}=10`),
  ),
  one(
    "the webhook is scaled to 0",
    "WEBHOOK_DOWN",
    all(
      change("deployments", "sgx-webhook", "status", {}),
      without("pods", "sgx-webhook-a"),
      without("pods", "sgx-webhook-b"),
      (cluster) => Object.assign(cluster.lists, { [LISTS.slices]: [{ endpoints: [] }] }),
    ),
  ),
  one("nobody calls the webhook", "WEBHOOK_UNCONFIGURED", (cluster) => delete cluster.objects[OBJECTS.webhook]),
  one("no caBundle", "WEBHOOK_CA_MISSING", (cluster) =>
    put(cluster.objects[OBJECTS.webhook], "webhooks/1/clientConfig", {}),
  ),
  one("a caBundle that is none", "WEBHOOK_CA_MISSING", (cluster) =>
    put(cluster.objects[OBJECTS.webhook], "webhooks/0/clientConfig/caBundle", "AAAA"),
  ),
  one("the CA has expired", "WEBHOOK_CA_EXPIRED", quiet, Date.parse("2120-06-01")),
  one("the CA expires on Friday", "WEBHOOK_CA_EXPIRING", quiet, Date.parse("2119-12-29")),
  one("no root is published", "ROOT_MISSING", (cluster) => delete cluster.objects[OBJECTS.root]),
  one("the root is no certificate", "ROOT_MISSING", (cluster) => put(cluster.objects[OBJECTS.root], "data", {})),
  one(
    "a helper with a root of its own",
    "ROOT_MISMATCH",
    all(
      status("sgx-quote-helper-sgx-1:9103", "provisioning", null),
      status("sgx-quote-helper-sgx-1:9103", "platform/root", `SHA-256 ${"AB:".repeat(31)}AB`),
    ),
  ),
  {
    name: "another root was published",
    codes: ["ROOT_MISMATCH", "ROOT_MISMATCH"],
    make: (cluster) => put(cluster.objects[OBJECTS.root], "data/root-ca.pem", OTHER_ROOT),
  },
  one(
    "a verifier in another namespace",
    "ROOT_NAMESPACE",
    all(
      add(
        "pods",
        pod("team", "verifier", "plain-1", {
          spec: { volumes: [{ name: "root", configMap: { name: "sgx-quote-root" } }] },
          status: { phase: "Pending", conditions: notReady, containerStatuses: waiting("main", "ContainerCreating") },
        }),
      ),
      add(
        "events",
        event(
          "Pod",
          "team",
          "verifier",
          "FailedMount",
          'MountVolume.SetUp failed for volume "root" : configmap "sgx-quote-root" not found',
        ),
      ),
    ),
  ),
  one("the PCCS does not answer a helper", "PCCS_UNREACHABLE", provisioning("connect ECONNREFUSED 10.0.0.9:8081")),
  one("the PCCS has no name", "PCCS_NAME_UNRESOLVED", provisioning("getaddrinfo EAI_AGAIN sgx-pccs.kube-system.svc")),
  one("the PCCS has no way out", "PCCS_UPSTREAM", provisioning("502: the upstream does not answer")),
  one(
    "the PCCS is not ready",
    "PCCS_DOWN",
    all(change("deployments", "sgx-pccs", "status", {}), without("pods", "sgx-pccs-a")),
  ),
  one(
    "no storage class",
    "PCCS_CLAIM_PENDING",
    all(
      change("deployments", "sgx-pccs", "status", {}),
      change("claims", "sgx-pccs", "status/phase", "Pending"),
      change("claims", "sgx-pccs", "spec", {}),
      change("classes", "local", "metadata/annotations", {}),
      without("pods", "sgx-pccs-a"),
    ),
  ),
  one(
    "a resource that nobody serves",
    "STALE_CAPACITY",
    change("nodes", "plain-1", "status/allocatable", { [INTEL]: "1Gi" }),
  ),
];

function quiet(cluster: FakeCluster): void {
  cluster.lists[LISTS.events] = [];
}
