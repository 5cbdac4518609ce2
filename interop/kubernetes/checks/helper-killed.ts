import { QUOTE_HELPER_NAME } from "@confcom/kubernetes";
import { type Check, expect, expectEqual } from "../../check.ts";
import { containerProcess } from "../observe/container-process.ts";
import { until } from "../observe/until.ts";
import type { ClusterScene } from "../scene.ts";
import { NAMESPACE, SGX_NODE } from "../scene-names.ts";
import { QuoteLoad } from "../workload/quote-load/quote-load.ts";

/** What the add-on promises, milliseconds. */
const BACK_WITHIN = 3000;
const ENOUGH = 50;

export const helperKilled: readonly Check<ClusterScene>[] = [
  {
    name: "quote helper killed under load: quotes back within 3 s, the same attestation key",
    deadline: 120_000,
    async run(scene) {
      await scene.installed();
      const pod = await freshHelper(scene);
      const load = await QuoteLoad.start(scene, SGX_NODE, scene.fresh("load"));
      const killed = Date.now();
      process.kill(containerProcess(pod, QUOTE_HELPER_NAME).pid, "SIGKILL");
      const { value: window } = await until("the load has its quotes again", 20_000, async () => {
        const window = await load.since(killed);
        expect(window.gaps.length > 0, "no gap has ended yet");
        // Enough that every lane has ended the quote that it was asking for meanwhile.
        expect(window.quotes + window.quotesFailed >= ENOUGH, `${window.quotes} quotes since`);
        return window;
      });
      expectEqual(window.pubKeyIds.length, 1, "attestation keys seen");
      expect(window.longestGapMs <= BACK_WITHIN, `no quotes for ${window.longestGapMs} ms`);
      const { value: now } = await scene.ready(QUOTE_HELPER_NAME, SGX_NODE, 20_000);
      expectEqual(now.metadata.uid, pod.metadata.uid, "the pod");
      await load.stop();
      scene.figures["helper killed"] = {
        gapMs: window.longestGapMs,
        rawFailed: window.rawFailed,
        libraryFailed: window.quotesFailed,
        quotes: window.quotes,
      };
      return `quotes back after ${window.longestGapMs} ms, pub_key_id unchanged; of the client library's ${window.quotes + window.quotesFailed} quotes ${window.quotesFailed} failed`;
    },
  },
];

/** The kubelet waits 10 s before a second restart of the same pod's container: that is its limit, not the helper's. */
async function freshHelper(scene: ClusterScene) {
  const pod = await scene.podOf(QUOTE_HELPER_NAME, SGX_NODE);
  if (pod.status.containerStatuses?.every(({ restartCount }) => restartCount === 0)) return pod;
  await scene.api.deletePod(NAMESPACE, pod.metadata.name);
  const { value } = await until("a fresh quote helper is ready", 30_000, async () => {
    const { value: next } = await scene.ready(QUOTE_HELPER_NAME, SGX_NODE, 1000);
    expect(next.metadata.uid !== pod.metadata.uid, "it is the old one");
    return next;
  });
  return value;
}
