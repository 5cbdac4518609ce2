import { setTimeout as sleep } from "node:timers/promises";
import { AZURE_EPC_RESOURCE, PLUGIN_NAME, QUOTE_HELPER_NAME } from "@confcom/kubernetes";
import { type Check, expect, expectEqual } from "../../check.ts";
import { PUBLISHED } from "../installation.ts";
import { count } from "../observe/kubernetes-objects.ts";
import type { ClusterScene } from "../scene.ts";
import { NAMESPACE, SGX_NODE } from "../scene-names.ts";
import { EpcPods } from "../workload/epc-pods.ts";
import { QuoteLoad } from "../workload/quote-load/quote-load.ts";

/** What the add-on promises, milliseconds. */
const LONGEST_GAP = 3000;

export const rollingUpdate: readonly Check<ClusterScene>[] = [
  {
    name: "rolling update of plugin and helper under load: gap of quotes at most 3 s, no failed call of the client library",
    deadline: 240_000,
    async run(scene) {
      // One after the other, as docs/kubernetes.md says: a helper that a kubelet starts in the very moment in which its plugin is
      // replaced is refused, and tried again only after the kubelet's own ten seconds.
      const { windows, figures, evidence } = await updateUnderLoad(scene, async () => {
        await scene.update("plugin");
        await scene.rolledOut(PLUGIN_NAME, 90_000);
        await scene.update("quote-helper");
      });
      scene.figures["rolling update"] = figures;
      const longest = Math.max(...windows.map(({ longestGapMs }) => longestGapMs));
      expect(longest <= LONGEST_GAP, `no quotes for ${longest} ms: ${JSON.stringify(figures)}`);
      return evidence;
    },
  },
];

/** Applications on both SGX nodes ask for quotes and hold EPC while `update` replaces every pod of ours. */
async function updateUnderLoad(scene: ClusterScene, update: () => Promise<void>) {
  const second = await scene.secondNode();
  const nodes = [SGX_NODE, second.name];
  const loads = await Promise.all(nodes.map((node) => QuoteLoad.start(scene, node, scene.fresh("load"))));
  const holders = await EpcPods.start(scene, SGX_NODE, [32]);
  const offered = new OfferWatch(scene, nodes);
  const began = Date.now();
  await update();
  await Promise.all([PLUGIN_NAME, QUOTE_HELPER_NAME].map((name) => scene.rolledOut(name, 120_000)));
  const took = Date.now() - began;
  await offered.stop();
  await holders.expectUntouched();
  const windows = await Promise.all(loads.map((load) => load.since(began)));
  for (const window of windows) {
    expect(window.gaps.length > 0, "no gap seen: the helper was not replaced under this load");
    expectEqual(window.pubKeyIds.length, 1, "attestation keys seen on one node");
  }
  const quotes = windows.reduce((sum, window) => sum + window.quotes, 0);
  const failures = windows.flatMap(({ failures }) => failures);
  const figures = {
    tookMs: took,
    gapsMs: windows.map(({ longestGapMs }) => longestGapMs),
    quotes,
    looks: offered.looks,
    epcCapacityZero: offered.zeroCapacity,
    allocatableZero: offered.zeroAllocatable,
    helperDelays: await helperDelays(scene, began),
  };
  const about = JSON.stringify(figures);
  expect(failures.length === 0, `${failures.length} of ${quotes} quotes failed: ${failures[0]?.reason}: ${about}`);
  expectEqual(offered.zeroCapacity, 0, "looks at which a node had no EPC capacity");
  await Promise.all([...loads.map((load) => load.stop()), holders.stop()]);
  const gaps = figures.gapsMs.map((ms) => `${ms} ms`).join(", ");
  const missing = Object.keys(offered.zeroAllocatable).length;
  const evidence = `${(took / 1000).toFixed(1)} s for ${nodes.length} SGX nodes: gaps ${gaps}; ${quotes} quotes of the client library, 0 failed; EPC capacity never 0 in ${offered.looks} looks, ${missing} resources ever not allocatable`;
  return { windows, figures, evidence };
}

/** Looks all the time at what the nodes offer. */
class OfferWatch {
  looks = 0;
  zeroCapacity = 0;
  /** Looks at which a resource was not allocatable, by node and name. */
  readonly zeroAllocatable: Record<string, number> = {};
  #ended = false;
  readonly #done: Promise<void>;

  constructor(scene: ClusterScene, nodes: readonly string[]) {
    this.#done = this.#watch(scene, nodes);
  }

  async #watch(scene: ClusterScene, nodes: readonly string[]): Promise<void> {
    while (!this.#ended) {
      for (const node of nodes) {
        const { allocatable, capacity } = (await scene.api.node(node)).status;
        this.looks++;
        if (count(capacity[AZURE_EPC_RESOURCE]) === 0) this.zeroCapacity++;
        for (const name of PUBLISHED) {
          const key = `${node} ${name}`;
          if (count(allocatable[name]) === 0) this.zeroAllocatable[key] = (this.zeroAllocatable[key] ?? 0) + 1;
        }
      }
      await sleep(100);
    }
  }

  async stop(): Promise<void> {
    this.#ended = true;
    await this.#done;
  }
}

/** What kept the new helpers from their nodes: the scheduler, or the kubelet's admission. */
async function helperDelays(scene: ClusterScene, began: number): Promise<string[]> {
  const events = await scene.api.events(`involvedObject.namespace=${NAMESPACE},type=Warning`);
  return events
    .filter(({ involvedObject }) => involvedObject.name.startsWith(QUOTE_HELPER_NAME))
    .filter(({ metadata }) => Date.parse(metadata.creationTimestamp) >= began - 1000)
    .map(({ reason, message }) => `${reason}: ${message.slice(0, 200)}`);
}
