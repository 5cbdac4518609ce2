import type { Clock } from "../../clock.ts";
import { KubernetesError } from "../../errors.ts";
import { HttpClusterAccess } from "../access/http-cluster-access.ts";
import { type DisableOptions, disableAddon } from "../life-cycle/disable.ts";
import { type EnableOptions, enableAddon } from "../life-cycle/enable.ts";
import type { FakeCluster } from "./fake-cluster.ts";
import { directConnection } from "./fake-cluster-server.ts";

/** Time passes when somebody waits. */
export function virtualClock(onWait: (now: number) => void = () => undefined): Clock {
  let now = 0;
  return {
    now: () => now,
    setTimeout(run, milliseconds) {
      now += milliseconds;
      onWait(now);
      setImmediate(run);
    },
    clearTimeout: () => undefined,
  };
}

const quiet = { step: () => undefined, detail: () => undefined };
export const common = (cluster: FakeCluster, clock = virtualClock()) => ({
  access: new HttpClusterAccess(directConnection(cluster)),
  clock,
  progress: quiet,
  version: "1.0.0",
  namespace: undefined,
  wait: true,
  timeoutMs: 600_000,
  dryRun: false,
});
export const enable = (cluster: FakeCluster, more: Partial<EnableOptions> = {}) =>
  enableAddon({
    ...common(cluster),
    verb: "enable",
    quoteHelper: true,
    values: {},
    resetValues: false,
    registry: undefined,
    trust: {},
    forceConflicts: false,
    ...more,
  });
export const disable = (cluster: FakeCluster, more: Partial<DisableOptions> = {}) =>
  disableAddon({ ...common(cluster), force: false, keepState: false, ...more });

export const failsWith =
  (code: string, words = /./) =>
  (error: unknown) =>
    error instanceof KubernetesError && error.code === code && words.test(error.message);

export const DAEMON_SET = "/apis/apps/v1/namespaces/kube-system/daemonsets/";
export const STATE = "/api/v1/namespaces/kube-system/configmaps/sgx-addon";
export const stateOf = (cluster: FakeCluster) => cluster.object(STATE)?.data as Record<string, string>;
