import {
  all,
  change,
  type Fault,
  named,
  notReady,
  one,
  provisioning,
  status,
  waiting,
  without,
} from "./cluster-faults.ts";
import { daemonProblem, OTHER_ROOT, put } from "./cluster-objects.ts";
import { type FakeCluster, LISTS, OBJECTS } from "./healthy-cluster.ts";

function nothingRuns(cluster: FakeCluster): void {
  for (const list of [LISTS.daemonSets, LISTS.deployments]) cluster.lists[list] = [];
  cluster.lists[LISTS.pods] = [];
  cluster.lists[LISTS.nodes]?.splice(0, 2);
}

/** Of the add-on itself: its pods, its webhook, its PCCS. */
export const INSTALLATION_FAULTS: readonly Fault[] = [
  one("nothing is installed", "ADDON_MISSING", (cluster) => {
    nothingRuns(cluster);
    for (const name of Object.keys(cluster.objects)) delete cluster.objects[name];
  }),
  one("disable was interrupted when the daemons had gone", "ADDON_MISSING", (cluster) => {
    nothingRuns(cluster);
    for (const name of Object.keys(cluster.objects)) if (name !== OBJECTS.addon) delete cluster.objects[name];
    put(cluster.objects[OBJECTS.addon], "data/phase", "disabling");
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
];

function quiet(cluster: FakeCluster): void {
  cluster.lists[LISTS.events] = [];
}
