import { X509Certificate } from "node:crypto";
import type { StatusAccess } from "../access.ts";
import type { ClusterSnapshot } from "../snapshot.ts";
import { takeSnapshot } from "../take-snapshot.ts";
import {
  AZURE,
  event,
  type Loose,
  limits,
  NAMESPACE,
  NOW,
  node,
  type PodGiven,
  pluginStatus,
  pod,
  ROOT,
  VERSION,
} from "./cluster-objects.ts";

/** What the API server of a cluster answers, by path, and what daemons answer on `/status`, by pod and port. */
export interface FakeCluster {
  readonly lists: Record<string, unknown[]>;
  readonly objects: Record<string, unknown>;
  readonly statuses: Record<string, unknown>;
  /** Paths → HTTP status with which they are refused. */
  readonly refused: Record<string, number>;
}

const own = `/namespaces/${NAMESPACE}`;
export const LISTS = {
  nodes: "/api/v1/nodes",
  pods: "/api/v1/pods",
  daemonSets: `/apis/apps/v1${own}/daemonsets`,
  deployments: `/apis/apps/v1${own}/deployments`,
  events: "/api/v1/events",
  quotas: "/api/v1/resourcequotas",
  namespaces: "/api/v1/namespaces",
  policies: "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies",
  claims: `/api/v1${own}/persistentvolumeclaims`,
  classes: "/apis/storage.k8s.io/v1/storageclasses",
  slices: `/apis/discovery.k8s.io/v1${own}/endpointslices`,
} as const;
export const OBJECTS = {
  root: `/api/v1${own}/configmaps/sgx-quote-root`,
  addon: `/api/v1${own}/configmaps/sgx-addon`,
  webhook: "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/sgx-webhook",
} as const;

/** Two nodes with SGX and one without, everything of ours installed and ready, applications of every permitted kind. */
export function healthyCluster(): FakeCluster {
  const sizes: Record<string, number> = { "sgx-1": 512, "sgx-2": 1024, "plain-1": 0 };
  const names = Object.keys(sizes);
  const sgxNames = names.filter((name) => sizes[name] !== 0);
  const component = (app: string, name: string, on: string, given: PodGiven = {}) =>
    pod(NAMESPACE, name, on, {
      labels: { app },
      ...given,
      container: { name: app, image: "localhost/confcom:0.1.0", ...given.container },
    });
  const aesmd = { name: "aesmd", hostPath: { path: "/var/run/aesmd", type: "DirectoryOrCreate" } };
  const pods = [
    ...names.map((name) =>
      component("sgx-plugin", `sgx-plugin-${name}`, name, {
        spec: { volumes: [{ name: "device-plugins", hostPath: { path: "/var/lib/kubelet/device-plugins" } }, aesmd] },
      }),
    ),
    ...sgxNames.map((name) =>
      component("sgx-quote-helper", `sgx-quote-helper-${name}`, name, {
        container: { ...limits({ [AZURE]: "10", "sgx.intel.com/provision": "1" }) },
        spec: { volumes: [aesmd] },
      }),
    ),
    component("sgx-webhook", "sgx-webhook-a", "plain-1"),
    component("sgx-webhook", "sgx-webhook-b", "sgx-1"),
    component("sgx-pccs", "sgx-pccs-a", "plain-1", { container: { name: "pccs" } }),
    ...applications(),
  ];
  const tolerations = [{ key: AZURE, operator: "Exists", effect: "NoSchedule" }];
  const workload = (name: string, args: string[], status: Loose, replicas?: number) => ({
    metadata: { name },
    spec: {
      ...(replicas === undefined ? {} : { replicas }),
      template: { spec: { tolerations, containers: [{ name, args }] } },
    },
    status,
  });
  const daemons = (port: number, of: (name: string) => [string, Loose]) => (name: string) => {
    const [podOf, status] = of(name);
    return [`${podOf}:${port}`, status] as const;
  };
  const plain = () => ({ version: VERSION, problems: [] });
  return {
    lists: {
      [LISTS.nodes]: names.map((name) => node(name, sizes[name] ?? 0)),
      [LISTS.pods]: pods,
      [LISTS.daemonSets]: [
        workload("sgx-plugin", ["--resource-names=azure"], { desiredNumberScheduled: 3, numberReady: 3 }),
        workload("sgx-quote-helper", ["--socket=/var/run/aesmd/aesm.socket"], {
          desiredNumberScheduled: 2,
          numberReady: 2,
        }),
        workload("kube-proxy", [], {}),
      ],
      [LISTS.deployments]: [
        workload("sgx-webhook", [], { readyReplicas: 2 }, 2),
        workload("sgx-pccs", [], { readyReplicas: 1 }, 1),
      ],
      [LISTS.events]: [
        event("Pod", "default", "other", "FailedScheduling", "0/3 nodes are available: 3 Insufficient cpu"),
      ],
      [LISTS.quotas]: [
        { metadata: { namespace: "team", name: "epc" }, spec: { hard: { [`requests.${AZURE}`]: "100", pods: "10" } } },
      ],
      [LISTS.namespaces]: ["default", "team", NAMESPACE].map((name) => ({ metadata: { name, labels: {} } })),
      [LISTS.policies]: [{ metadata: { name: "sgx-policies-provision" } }],
      [LISTS.claims]: [
        { metadata: { name: "sgx-pccs" }, spec: { storageClassName: "local" }, status: { phase: "Bound" } },
      ],
      [LISTS.classes]: [
        { metadata: { name: "local", annotations: { "storageclass.kubernetes.io/is-default-class": "true" } } },
      ],
      [LISTS.slices]: [
        { endpoints: [{ addresses: ["10.0.0.1"], conditions: { ready: true } }, { addresses: ["10.0.0.2"] }] },
      ],
    },
    objects: {
      [OBJECTS.root]: { data: { "root-ca.pem": ROOT, "pccs-ca.pem": ROOT } },
      [OBJECTS.addon]: { data: { phase: "enabled", version: VERSION } },
      [OBJECTS.webhook]: {
        webhooks: ["slot.sgx.confcom.dev", "mount.sgx.confcom.dev"].map((name) => ({
          name,
          clientConfig: { caBundle: Buffer.from(ROOT).toString("base64") },
        })),
      },
    },
    statuses: Object.fromEntries([
      ...names.map(daemons(9101, (name) => [`sgx-plugin-${name}`, pluginStatus(name, sizes[name] ?? 0)])),
      ...names.map(daemons(9102, (name) => [`sgx-plugin-${name}`, { plugin: {}, problems: [] }])),
      ...sgxNames.map(daemons(9103, (name) => [`sgx-quote-helper-${name}`, helperStatus()])),
      ...["a", "b"].map(daemons(9104, (name) => [`sgx-webhook-${name}`, plain()])),
      ...["a"].map(daemons(9105, (name) => [`sgx-pccs-${name}`, { mode: "OFFLINE" }])),
      ...["a"].map(daemons(9106, (name) => [`sgx-pccs-${name}`, plain()])),
    ]),
    refused: {},
  };
}

function helperStatus(): Loose {
  return {
    version: VERSION,
    phase: "serving",
    ready: { ok: true, why: "init_quote_ex passes" },
    socket: { path: "/var/run/aesmd/aesm.socket", ours: true },
    platform: { name: "software", root: `SHA-256 ${new X509Certificate(ROOT).fingerprint256}` },
    provisioning: { service: "PCCS at https://sgx-pccs.kube-system.svc:8081", ok: true, failure: null },
  };
}

/** What applications may do and is nobody's problem. */
function applications(): Loose[] {
  const directory = { name: "aesmd", hostPath: { path: "/var/run/aesmd", type: "DirectoryOrCreate" } };
  const variable = [{ name: "SGX_AESM_ADDR", value: "1" }];
  const mounted = [{ name: "aesmd", mountPath: "/var/run/aesmd" }];
  return [
    pod("team", "by-slot", "sgx-1", { container: limits({ [AZURE]: "32", "sgx.confcom.dev/quote": "1" }) }),
    pod("team", "as-aks", "sgx-2", {
      container: { ...limits({ [AZURE]: "64" }), env: variable, volumeMounts: mounted },
      spec: { volumes: [directory] },
    }),
    pod("team", "in-process", "sgx-2", { container: limits({ [AZURE]: "16", "sgx.intel.com/provision": "1" }) }),
    pod("team", "no-quotes", "sgx-1", { container: limits({ [AZURE]: "100" }) }),
    pod("team", "waits", null, {
      container: limits({ [AZURE]: "500" }),
      status: {
        phase: "Pending",
        conditions: [{ type: "PodScheduled", status: "False", message: `3 Insufficient ${AZURE}` }],
        containerStatuses: [],
      },
    }),
    pod("team", "own-aesm", "sgx-2", {
      annotations: { "sgx.intel.com/quote-provider": "aesmd" },
      spec: {
        containers: [
          {
            name: "aesmd",
            image: "aesmd:1",
            ...limits({ [AZURE]: "2", "sgx.intel.com/provision": "1" }),
            volumeMounts: mounted,
          },
          { name: "main", image: "app:1", ...limits({ [AZURE]: "8" }), env: variable, volumeMounts: mounted },
        ],
        volumes: [{ name: "aesmd", emptyDir: { medium: "Memory" } }],
      },
    }),
    pod("team", "ended", "sgx-1", {
      container: { ...limits({ [AZURE]: "10Mi" }), env: variable },
      status: { phase: "Failed", reason: "UnexpectedAdmissionError" },
    }),
    pod("default", "nothing-to-do-with-it", "plain-1"),
  ];
}

/** The cluster as its API server shows it: lists in pages of two, so that following pages is part of every test. */
export function accessTo(cluster: FakeCluster): StatusAccess {
  return {
    async read(path) {
      const [plain = "", query = ""] = path.split("?");
      const refused = cluster.refused[plain];
      if (refused !== undefined) throw Object.assign(new Error(`GET ${plain}: ${refused}`), { status: refused });
      const daemon = /\/pods\/([^/]+)\/proxy\/status$/.exec(plain)?.[1];
      const found = daemon === undefined ? cluster.objects[plain] : cluster.statuses[daemon];
      if (found !== undefined) return structuredClone(found);
      const items = cluster.lists[plain];
      if (items === undefined) throw Object.assign(new Error(`GET ${plain}: 404`), { status: 404 });
      const from = Number(new URLSearchParams(query).get("continue") ?? 0);
      const next = from + 2 < items.length ? String(from + 2) : undefined;
      return structuredClone({ metadata: { continue: next }, items: items.slice(from, from + 2) });
    },
  };
}

export function snapshotOf(
  cluster: FakeCluster,
  options: { readonly now?: number; readonly node?: string } = {},
): Promise<ClusterSnapshot> {
  return takeSnapshot(accessTo(cluster), { namespace: NAMESPACE, now: NOW, ...options });
}
