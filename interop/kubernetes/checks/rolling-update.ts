import { setTimeout as sleep } from "node:timers/promises";
import { AZURE_EPC_RESOURCE, PLUGIN_NAME, QUOTE_HELPER_NAME } from "@confcom/kubernetes";
import { type Check, expect, expectEqual } from "../../check.ts";
import { type ClusterScene, SGX_NODE } from "../scene.ts";
import { EpcPods } from "../workload/epc-pods.ts";
import { QuoteLoad } from "../workload/quote-load/quote-load.ts";

/** The limit of the issue that this add-on was built to, milliseconds. */
const LONGEST_GAP = 3000;

export const rollingUpdate: readonly Check<ClusterScene>[] = [
  {
    name: "rolling update of both DaemonSets under load: gap of quotes at most 3 s, no failed call of the client library",
    deadline: 240_000,
    async run(scene) {
      const second = await scene.secondNode();
      const nodes = [SGX_NODE, second.name];
      const loads = await Promise.all(nodes.map((node) => QuoteLoad.start(scene, node, scene.fresh("load"))));
      const holders = await EpcPods.start(scene, SGX_NODE, [32]);
      const epc = new EpcWatch(scene, nodes);
      const began = Date.now();
      await scene.update();
      await Promise.all([PLUGIN_NAME, QUOTE_HELPER_NAME].map((name) => scene.rolledOut(name, 120_000)));
      const took = Date.now() - began;
      await epc.stop();
      await holders.expectUntouched();
      const windows = await Promise.all(loads.map((load) => load.since(began)));
      const longest = Math.max(...windows.map(({ longestGapMs }) => longestGapMs));
      const quotes = windows.reduce((sum, window) => sum + window.quotes, 0);
      const failures = windows.flatMap(({ failures }) => failures);
      scene.figures["rolling update"] = {
        tookMs: took,
        gapsMs: windows.map(({ longestGapMs }) => longestGapMs),
        quotes,
        libraryFailed: failures.length,
        ...epc.figures(),
      };
      for (const window of windows) {
        expect(window.gaps.length > 0, "no gap seen: the helper was not replaced under this load");
        expectEqual(window.pubKeyIds.length, 1, "attestation keys seen on one node");
      }
      expect(failures.length === 0, `${failures.length} of ${quotes} quotes failed: ${failures[0]?.reason}`);
      expect(longest <= LONGEST_GAP, `no quotes for ${longest} ms`);
      expectEqual(epc.zeroCapacity, 0, "looks at which a node had no EPC capacity");
      await Promise.all([...loads.map((load) => load.stop()), holders.stop()]);
      return `${(took / 1000).toFixed(1)} s for ${nodes.length} SGX nodes: gaps ${windows.map(({ longestGapMs }) => `${longestGapMs} ms`).join(", ")}; ${quotes} quotes of the client library, 0 failed; EPC capacity never 0 in ${epc.looks} looks, allocatable 0 in ${epc.zeroAllocatable}`;
    },
  },
];

/** Looks at the nodes' EPC all the time. */
class EpcWatch {
  looks = 0;
  zeroCapacity = 0;
  zeroAllocatable = 0;
  #ended = false;
  readonly #done: Promise<void>;

  constructor(scene: ClusterScene, nodes: readonly string[]) {
    this.#done = this.#watch(scene, nodes);
  }

  async #watch(scene: ClusterScene, nodes: readonly string[]): Promise<void> {
    while (!this.#ended) {
      for (const node of nodes) {
        const { allocatable, capacity } = await scene.resource(node, AZURE_EPC_RESOURCE);
        this.looks++;
        if (capacity === 0) this.zeroCapacity++;
        if (allocatable === 0) this.zeroAllocatable++;
      }
      await sleep(200);
    }
  }

  figures(): object {
    return { epcLooks: this.looks, epcCapacityZero: this.zeroCapacity, epcAllocatableZero: this.zeroAllocatable };
  }

  async stop(): Promise<void> {
    this.#ended = true;
    await this.#done;
  }
}
