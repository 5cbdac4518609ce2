import type { ProblemCode } from "../diagnosis/problem-codes.ts";
import { AZURE, daemonProblem, event, type Loose, limits, pod, put } from "./cluster-objects.ts";
import { type FakeCluster, LISTS } from "./healthy-cluster.ts";

/** One thing that is wrong in a cluster that is otherwise healthy, and all that is to be said about it. */
export interface Fault {
  readonly name: string;
  readonly codes: readonly ProblemCode[];
  readonly make: (cluster: FakeCluster) => void;
  /** Milliseconds since 1970; default NOW. */
  readonly now?: number;
}

export type Make = Fault["make"];

export const named = (list: keyof typeof LISTS, name: string) => (cluster: FakeCluster) => {
  const found = cluster.lists[LISTS[list]]?.find(
    (each) => (each as { metadata: { name: string } }).metadata.name === name,
  );
  if (found === undefined) throw new Error(`no ${name} in ${list}`);
  return found;
};
export const change =
  (list: keyof typeof LISTS, name: string, path: string, value: unknown): Make =>
  (cluster) =>
    put(named(list, name)(cluster), path, value);
export const status =
  (daemon: string, path: string, value: unknown): Make =>
  (cluster) =>
    put(cluster.statuses[daemon], path, value);
export const add =
  (list: keyof typeof LISTS, ...objects: readonly unknown[]): Make =>
  (cluster) => {
    cluster.lists[LISTS[list]]?.push(...objects);
  };
export const without =
  (list: keyof typeof LISTS, name: string): Make =>
  (cluster) => {
    const all = cluster.lists[LISTS[list]] ?? [];
    all.splice(all.indexOf(named(list, name)(cluster)), 1);
  };
export const all =
  (...makes: readonly Make[]): Make =>
  (cluster) => {
    for (const make of makes) make(cluster);
  };
export const one = (name: string, code: ProblemCode, make: Make, now?: number): Fault => ({
  name,
  codes: [code],
  make,
  ...(now === undefined ? {} : { now }),
});

export const VARIABLE = [{ name: "SGX_AESM_ADDR", value: "1" }];
/** An application with the AESM variable that mounts something at a path. */
export const mounting = (volume: Loose, mountPath: string, mount: Loose = {}): Make =>
  add(
    "pods",
    pod("team", "faulty", "sgx-1", {
      container: { ...limits({ [AZURE]: "1" }), env: VARIABLE, volumeMounts: [{ name: "v", mountPath, ...mount }] },
      spec: { volumes: [{ name: "v", ...volume }] },
    }),
  );
export const asking = (resources: Readonly<Record<string, string>>, on: string | null = "sgx-1"): Make =>
  add(
    "pods",
    pod("team", "faulty", on, {
      container: limits(resources),
      ...(on === null ? { status: { phase: "Pending", containerStatuses: [], conditions: [] } } : {}),
    }),
  );
export const waiting = (name: string, reason: string, more: Loose = {}) =>
  [{ name, ready: false, restartCount: 5, state: { waiting: { reason, message: "so it is" } }, ...more }] as const;
export const notReady = [{ type: "Ready", status: "False" }];
export const pluginProblem = (code: string, on = "sgx-1") =>
  status(`sgx-plugin-${on}:9101`, "problems", [daemonProblem(code)]);
export const failedCreate = (message: string) =>
  all(add("events", event("Job", "team", "job", "FailedCreate", message)), (cluster) => {
    cluster.objects["/apis/batch/v1/namespaces/team/jobs/job"] = { metadata: { name: "job", namespace: "team" } };
  });
export const provisioning = (message: string) =>
  status("sgx-quote-helper-sgx-1:9103", "provisioning", {
    service: "PCCS at https://sgx-pccs.kube-system.svc:8081",
    ok: false,
    failure: { code: "SOURCE_UNREACHABLE", message },
  });
export const counterMode = all(
  status("sgx-plugin-sgx-1:9101", "publishing/mode", "counter"),
  status("sgx-plugin-sgx-1:9101", "counters", [{ name: AZURE, quantity: "512" }]),
);
