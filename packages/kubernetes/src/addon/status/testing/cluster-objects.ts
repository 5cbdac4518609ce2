import { readFileSync } from "node:fs";

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
export interface PodGiven {
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
