import { type Check, expect, expectEqual } from "../../check.ts";
import { heldDevices, heldTwice } from "../observe/held-devices.ts";
import { count, describePod, type Pod } from "../observe/kubernetes-objects.ts";
import { until, Violation } from "../observe/until.ts";
import type { ClusterScene } from "../scene.ts";
import { EPC_MIB, SGX_NODE } from "../scene-names.ts";
import {
  type EpcName,
  type EpcRequest,
  MIB,
  RESOURCES,
  scheduledAmount,
  smallRequests,
} from "../workload/epc-requests.ts";
import { podManifest } from "../workload/pod-manifest.ts";

const RACING = 40;
const LABEL = { "checks.confcom.dev/epc": "both-names" };
const SELECTOR = "checks.confcom.dev/epc=both-names";

/** One node of a cluster that schedules EPC under one name, filled by pods that write either. */
class Filling {
  readonly #scene: ClusterScene;
  readonly #scheduled: EpcName;
  /** What applications may have of the node's EPC, in units of the scheduled name. */
  readonly free: number;

  private constructor(scene: ClusterScene, scheduled: EpcName, free: number) {
    this.#scene = scene;
    this.#scheduled = scheduled;
    this.free = free;
  }

  /** When the node publishes EPC under the name, and the webhook answers. */
  static async begin(scene: ClusterScene, scheduled: EpcName): Promise<Filling> {
    await scene.withAddon(scheduled === "azure" ? {} : { resourceNames: scheduled });
    const resource = RESOURCES[scheduled];
    const total = EPC_MIB * (scheduled === "azure" ? 1 : MIB);
    await scene.allocatable(SGX_NODE, resource, total, 60_000);
    const others = (await scene.api.pods("")).filter(({ spec }) => spec.nodeName === SGX_NODE);
    const held = others.reduce((sum, pod) => sum + epcOf(pod, scheduled), 0);
    const filling = new Filling(scene, scheduled, total - held);
    const foreign = scheduled === "azure" ? "intel" : "azure";
    await until("the webhook translates", 60_000, async () => {
      const stored = await filling.create({ written: foreign, amount: foreign === "azure" ? 1 : MIB }, "?dryRun=All");
      expectEqual(RESOURCES[foreign] in limitsOf(stored), false, `${RESOURCES[foreign]} in the stored pod`);
    });
    return filling;
  }

  /** Throws unless the stored pod has the amount under the scheduled name alone. */
  async create(request: EpcRequest, query = ""): Promise<Pod> {
    const { applications: namespace, api, images } = this.#scene;
    const name = this.#scene.fresh(`epc-${request.written}`);
    const limits = { [RESOURCES[request.written]]: request.amount };
    const pod = podManifest({
      name,
      namespace,
      node: SGX_NODE,
      image: images.probe,
      args: ["--hold"],
      limits,
      labels: LABEL,
    });
    const stored = await api.ask<Pod>("POST", `/api/v1/namespaces/${namespace}/pods${query}`, { body: pod });
    const expected = scheduledAmount(request, this.#scheduled);
    const what = `${request.amount} of ${RESOURCES[request.written]}, stored under ${RESOURCES[this.#scheduled]}`;
    expectEqual(epcOf(stored, this.#scheduled), expected, what);
    return stored;
  }

  /** Looks until every pod runs or was refused for want of EPC; at no look do those on the node hold more than there is. */
  async settled(): Promise<{
    readonly running: readonly Pod[];
    readonly refused: readonly Pod[];
    readonly sum: number;
  }> {
    const { value } = await until("every pod runs or is refused for want of EPC", 90_000, async () => {
      const pods = await this.pods();
      const placed = pods.filter(({ spec }) => spec.nodeName !== undefined);
      const sum = placed.reduce((total, pod) => total + epcOf(pod, this.#scheduled), 0);
      if (sum > this.free) throw new Violation(`pods on ${SGX_NODE} hold ${sum} of ${this.free}`);
      const running = pods.filter(({ status }) => status.phase === "Running");
      const refused = pods.filter((pod) => describePod(pod).includes(`Insufficient ${RESOURCES[this.#scheduled]}`));
      const left = pods.filter((pod) => !running.includes(pod) && !refused.includes(pod));
      expect(left.length === 0, `${left.length} are neither: ${left.slice(0, 2).map(describePod)}`);
      return { running, refused, sum };
    });
    return value;
  }

  pods(): Promise<readonly Pod[]> {
    return this.#scene.api.pods(SELECTOR, this.#scene.applications);
  }

  async remove(pods: readonly Pod[]): Promise<void> {
    const { api, applications } = this.#scene;
    await Promise.all(pods.map(({ metadata }) => api.deletePod(applications, metadata.name, 0)));
    const names = new Set(pods.map(({ metadata }) => metadata.name));
    await until("the pods are gone", 30_000, async () => {
      const left = (await this.pods()).filter(({ metadata }) => names.has(metadata.name));
      expect(left.length === 0, `${left.length} left`);
    });
  }
}

async function fill(scene: ClusterScene, scheduled: EpcName): Promise<string> {
  const filling = await Filling.begin(scene, scheduled);
  const foreign = scheduled === "azure" ? "intel" : "azure";
  await Promise.all(smallRequests(RACING).map((request) => filling.create(request)));
  const race = await filling.settled();
  expect(race.refused.length > 0, `${RACING} pods fitted: the race was none`);
  await filling.remove(race.refused);

  // The rest, to the last unit: of a node that schedules MiB by a number of bytes that has to be rounded up to it.
  const rest = filling.free - race.sum;
  const last: EpcRequest =
    scheduled === "azure" ? { written: "intel", amount: rest * MIB - 3 } : { written: "intel", amount: rest };
  if (rest > 0) await filling.create(last);
  const full = await filling.settled();
  expectEqual(full.sum, filling.free, "EPC that pods hold on the full node");
  expectEqual(full.refused.length, 0, "pods refused before the node was full");

  await Promise.all([
    filling.create({ written: "azure", amount: 1 }),
    filling.create({ written: "intel", amount: 4096 }),
  ]);
  const over = await filling.settled();
  expectEqual(over.refused.length, 2, "pods refused on the full node, one of each name");
  expectEqual(over.sum, filling.free, "EPC that pods hold after that");
  const byName = full.running.filter(({ metadata }) => metadata.name.startsWith(`epc-${foreign}`)).length;
  const devices = scheduled === "azure" ? await devicesHeld(scene, full.running) : undefined;
  if (devices !== undefined)
    expectEqual(devices, filling.free, "devices that the kubelet gave to these pods, each once");

  await filling.remove(await filling.pods());
  const quota = await quotaHolds(scene, scheduled);
  return `${RACING} pods raced, ${race.running.length} ran with ${race.sum} of ${filling.free}, the rest were refused; full with ${full.running.length} pods, ${byName} of them written as ${RESOURCES[foreign]}${devices === undefined ? "" : `, on ${devices} different devices`}; one more of either name stays Pending; ${quota}`;
}

/** Different devices that these pods hold; throws when two pods have the same. */
async function devicesHeld(scene: ClusterScene, pods: readonly Pod[]): Promise<number> {
  const uids = new Set(pods.map(({ metadata }) => metadata.uid));
  const held = await heldDevices(scene.node(SGX_NODE));
  const twice = heldTwice(held, uids);
  expect(twice.length === 0, `held twice: ${twice.slice(0, 3).join("; ")}`);
  return held.filter(({ resource, podUid }) => resource === RESOURCES.azure && uids.has(podUid)).length;
}

/** A quota on the scheduled name counts what pods wrote under the other: quotas are looked at after webhooks. */
async function quotaHolds(scene: ClusterScene, scheduled: EpcName): Promise<string> {
  const namespace = scene.fresh("quota");
  const unit = scheduled === "azure" ? 1 : MIB;
  const hard = { [`requests.${RESOURCES[scheduled]}`]: String(16 * unit) };
  const metadata = { name: "epc", namespace };
  await scene.apply([
    { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
    { apiVersion: "v1", kind: "ResourceQuota", metadata, spec: { hard } },
  ]);
  try {
    const foreign =
      scheduled === "azure" ? { written: "intel" as const, unit: MIB } : { written: "azure" as const, unit: 1 };
    await until("the quota is counted", 15_000, async () => {
      const quota = await scene.api.get<{ status: { hard?: object } }>(
        `/api/v1/namespaces/${namespace}/resourcequotas/epc`,
      );
      expect(quota.status.hard !== undefined, "it is not");
    });
    await until("the default service account is there", 15_000, () =>
      scene.api.get(`/api/v1/namespaces/${namespace}/serviceaccounts/default`),
    );
    const ask = (amount: number) => {
      const limits = { [RESOURCES[foreign.written]]: amount * foreign.unit };
      const name = scene.fresh("in-quota");
      const body = podManifest({
        name,
        namespace,
        node: SGX_NODE,
        image: scene.images.probe,
        args: ["--hold"],
        limits,
      });
      return scene.api.send("POST", `/api/v1/namespaces/${namespace}/pods`, { body });
    };
    const within = await ask(10);
    expectEqual(within.status, 201, `a pod within the quota (${within.body.slice(0, 200)})`);
    const beyond = await ask(7);
    expectEqual(beyond.status, 403, `a pod beyond the quota (${beyond.body.slice(0, 200)})`);
    expect(beyond.body.includes("exceeded quota: epc"), beyond.body.slice(0, 300));
    return `a quota of 16 MiB on ${RESOURCES[scheduled]} takes 10 MiB written as ${RESOURCES[foreign.written]} and refuses 7 more`;
  } finally {
    await scene.api.delete(`/api/v1/namespaces/${namespace}`);
  }
}

function limitsOf(pod: Pod): Readonly<Record<string, string>> {
  return pod.spec.containers[0]?.resources?.limits ?? {};
}

function epcOf(pod: Pod, name: EpcName): number {
  if (pod.status.phase === "Succeeded" || pod.status.phase === "Failed") return 0;
  return pod.spec.containers.reduce((sum, { resources }) => sum + count(resources?.limits?.[RESOURCES[name]]), 0);
}

export const bothNamesAzure: Check<ClusterScene> = {
  name: "a node that schedules MiB is filled by pods that write MiB and pods that write bytes, and never overfilled",
  deadline: 300_000,
  run: (scene) => fill(scene, "azure"),
};

export const bothNamesIntel: Check<ClusterScene> = {
  name: "a node that schedules bytes is filled by pods that write MiB and pods that write bytes, and never overfilled",
  deadline: 300_000,
  run: (scene) => fill(scene, "intel"),
};
