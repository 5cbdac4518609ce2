import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import type { StatusAccess } from "../access.ts";
import type { ClusterSnapshot } from "../snapshot.ts";
import { takeSnapshot } from "../take-snapshot.ts";

/** A part of a Kubernetes object, as it is on the wire. */
export type Loose = Readonly<Record<string, unknown>>;

/** Changes what is at a path; a number is an index. */
export function put(target: unknown, path: string, value: unknown): void {
  const keys = path.split("/");
  const last = keys.pop() as string;
  let at = target as Record<string, unknown>;
  for (const key of keys) at = at[key] as Record<string, unknown>;
  at[last] = value;
}

/** What of a pod is not as usual. */
interface PodGiven {
  readonly labels?: Loose;
  readonly annotations?: Loose;
  readonly container?: Loose;
  readonly spec?: Loose;
  readonly status?: Loose;
}

export const NOW = Date.parse("2026-06-01T12:00:00Z");
export const NAMESPACE = "kube-system";
export const VERSION = "0.1.0";
export const AZURE = "kubernetes.azure.com/sgx_epc_mem_in_MiB";
export const INTEL = "sgx.intel.com/epc";

const pem = (name: string) => readFileSync(new URL(`../../../api/fixtures/${name}`, import.meta.url), "utf8");
/** A certificate; which one does not matter. */
export const ROOT = pem("server-certificate.pem");
export const OTHER_ROOT = pem("another-authority.pem");

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

export function node(name: string, epcMiB: number): Loose {
  const sgx = epcMiB > 0;
  const resources = sgx
    ? {
        [AZURE]: String(epcMiB),
        "sgx.intel.com/enclave": "110",
        "sgx.intel.com/provision": "110",
        "sgx.confcom.dev/quote": "110",
      }
    : {};
  return {
    metadata: { name, labels: { "kubernetes.io/os": "linux", ...(sgx ? { "sgx.confcom.dev/capable": "true" } : {}) } },
    spec: { taints: [] },
    status: {
      capacity: { cpu: "4", ...resources },
      allocatable: { cpu: "4", ...resources },
      conditions: [{ type: "Ready", status: "True" }],
    },
  };
}

/** A running pod with one container, `main`, an hour old. */
export function pod(namespace: string, name: string, on: string | null, given: PodGiven = {}): Loose {
  const { labels = {}, annotations = {}, container = {}, spec = {}, status = {} } = given;
  const main: Loose = { name: "main", image: "registry.example/app:1", ...container };
  return {
    metadata: { namespace, name, labels, annotations, creationTimestamp: new Date(NOW - 3_600_000).toISOString() },
    spec: { ...(on === null ? {} : { nodeName: on }), containers: [main], volumes: [], ...spec },
    status: {
      phase: "Running",
      conditions: [{ type: "Ready", status: "True" }],
      containerStatuses: [{ name: main.name, ready: true, restartCount: 0, state: { running: {} } }],
      ...status,
    },
  };
}

export const limits = (resources: Record<string, string>): Loose => ({
  resources: { limits: resources, requests: resources },
});

export function event(kind: string, namespace: string, name: string, reason: string, message: string): Loose {
  const lastTimestamp = new Date(NOW - 60_000).toISOString();
  return { involvedObject: { kind, namespace, name }, type: "Warning", reason, message, lastTimestamp };
}

export function pluginStatus(on: string, epcMiB: number): Loose {
  const sgx = epcMiB > 0;
  const resource = (name: string, total: number) => ({
    name,
    endpoint: "confcom.sock",
    total,
    healthy: total,
    allocated: 0,
    registeredAt: "2026-06-01T10:00:00Z",
    listAndWatchOpen: true,
  });
  return {
    version: VERSION,
    node: on,
    now: "2026-06-01T12:00:00Z",
    startedAt: "2026-06-01T10:00:00Z",
    state: sgx ? "serving" : "idle",
    sgx: {
      capable: sgx,
      devices: {
        enclave: sgx ? "/dev/sgx_enclave" : null,
        provision: sgx ? "/dev/sgx_provision" : null,
        generation: sgx ? "in-tree" : null,
        problems: [],
      },
      epc: { totalMiB: epcMiB, totalBytes: epcMiB << 20, source: sgx ? "sysfs" : null, perNumaNode: [], tried: [] },
    },
    publishing: sgx
      ? {
          resourceNames: "azure",
          mode: "device",
          requestedMode: "auto",
          why: "",
          encodedBytes: 9,
          limitBytes: 9,
          warnings: [],
        }
      : null,
    resources: sgx
      ? [
          resource(AZURE, epcMiB),
          resource("sgx.intel.com/enclave", 110),
          resource("sgx.intel.com/provision", 110),
          resource("sgx.confcom.dev/quote", 110),
        ]
      : [],
    counters: [],
    // As on every machine without SGX.
    problems: sgx ? [] : ["SGX_DEVICE_MISSING", "SGX_EPC_UNKNOWN"].map((code) => daemonProblem(code)),
    events: [],
  };
}

export const daemonProblem = (code: string, message = "found so"): Loose => ({
  code,
  message,
  nextStep: "do something",
  since: "2026-06-01T11:00:00Z",
});

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

export function helperStatus(): Loose {
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
