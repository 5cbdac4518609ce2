import { AZURE_EPC_RESOURCE, ENCLAVE_RESOURCE, INTEL_EPC_RESOURCE, PLUGIN_NAME } from "@confcom/kubernetes";
import { type Check, expect, expectEqual } from "../../check.ts";
import { until } from "../observe/until.ts";
import type { ClusterScene } from "../scene.ts";
import { SGX_NODE } from "../scene-names.ts";
import { podManifest } from "../workload/pod-manifest.ts";
import { quickstart } from "./first-quote.ts";

// They leave the installation changed, so they come last.

const BIG_NODE = "sgx-big";
/** EPC of a helper, MiB: what applications cannot have of a node. */
const HELPER = 10;
const MIB = 1024 * 1024;

/** Largest EPC for which auto publishes devices. */
const AUTO_LIMIT = 65_536;
/** Azure's largest size. */
const LARGEST_AZURE = 262_144;
const HALF_TERABYTE = 524_288;

const onlyOn = (node: string) => ({ nodeSelector: { "kubernetes.io/hostname": node } });

export const sizes: readonly Check<ClusterScene>[] = [
  {
    name: "65,536 MiB in auto are devices, 65,537 a counter; 524,288 by counter",
    deadline: 240_000,
    async run(scene) {
      await scene.installed();
      const bigger = scene.ensureNode({ name: BIG_NODE, sgx: { epcMiB: AUTO_LIMIT + 1 } });
      bigger.catch(() => undefined);
      scene.node(SGX_NODE).fixture.setEpcMiB(AUTO_LIMIT);
      const devices = await published(scene, SGX_NODE, AUTO_LIMIT, "device", [1024, AUTO_LIMIT - HELPER - 1024]);
      const big = await bigger;
      const counter = await published(scene, BIG_NODE, AUTO_LIMIT + 1, "counter", [1024, AUTO_LIMIT - HELPER - 1024]);
      big.fixture.setEpcMiB(HALF_TERABYTE);
      const half = await published(scene, BIG_NODE, HALF_TERABYTE, "counter", [300 * 1024]);
      await refusedBeyond(scene, BIG_NODE, HALF_TERABYTE);
      await counterLasts(scene, HALF_TERABYTE);
      return [devices, counter, half].map(told).join("; ");
    },
  },
  {
    name: "the quickstart in bytes: --resource-names intel, the one EPC name of that node",
    deadline: 150_000,
    async run(scene) {
      const big = await scene.ensureNode({ name: BIG_NODE, sgx: { epcMiB: AUTO_LIMIT + 1 } });
      big.fixture.setEpcMiB(HALF_TERABYTE);
      await scene.installedWith({ resourceNames: "intel", ...onlyOn(BIG_NODE) });
      await scene.allocatable(BIG_NODE, INTEL_EPC_RESOURCE, HALF_TERABYTE * MIB, 45_000);
      await until("the other name is gone", 45_000, async () => {
        const { allocatable } = await scene.resource(BIG_NODE, AZURE_EPC_RESOURCE);
        expectEqual(allocatable, 0, `allocatable ${AZURE_EPC_RESOURCE}`);
      });
      const line = await quickstart(scene, "quickstart/job-bytes.yaml");
      return `allocatable ${INTEL_EPC_RESOURCE}: ${HALF_TERABYTE * MIB}, ${AZURE_EPC_RESOURCE}: none; ${line}`;
    },
  },
  {
    name: "262,144 MiB in both modes: as a list of 4,190,144 bytes and as a counter",
    deadline: 240_000,
    async run(scene) {
      const big = await scene.ensureNode({ name: BIG_NODE, sgx: { epcMiB: LARGEST_AZURE } });
      big.fixture.setEpcMiB(LARGEST_AZURE);
      await scene.installedWith({ mode: "counter", ...onlyOn(BIG_NODE) });
      const counter = await published(scene, BIG_NODE, LARGEST_AZURE, "counter", [1024, 65_536]);
      scene.node(SGX_NODE).fixture.setEpcMiB(LARGEST_AZURE);
      await scene.installedWith({ mode: "device", ...onlyOn(SGX_NODE) });
      const devices = await published(scene, SGX_NODE, LARGEST_AZURE, "device", [1024, 65_536]);
      expectEqual(devices.bytes, 4_190_144, "bytes of the list");
      const { publishing } = await scene.pluginStatus(SGX_NODE);
      expect((publishing?.warnings.length ?? 0) > 0, "no warning for so long a list");
      await tooLongForTheKubelet(scene);
      return [devices, counter].map(told).join("; ");
    },
  },
];

interface Published {
  readonly totalMiB: number;
  readonly mode: string;
  /** Of the device list; 0 for a counter. */
  readonly bytes: number;
  readonly allocatableMs: number;
  readonly pluginRssMiB: number;
  readonly kubeletRssMiB: number;
  /** Milliseconds from asking to running, by MiB asked for. */
  readonly running: Readonly<Record<string, number>>;
}

/** Waits until a node offers so much EPC in that mode, and starts a pod for each of the amounts, one after the other. */
async function published(
  scene: ClusterScene,
  node: string,
  totalMiB: number,
  mode: "device" | "counter",
  amounts: readonly number[],
): Promise<Published> {
  const { ms: allocatableMs } = await scene.allocatable(node, AZURE_EPC_RESOURCE, totalMiB, 60_000);
  const { publishing } = await scene.pluginStatus(node);
  expectEqual(publishing?.mode, mode, `mode with ${totalMiB} MiB`);
  const running: Record<string, number> = {};
  const names: string[] = [];
  for (const amount of amounts) {
    const { name, ms } = await ask(scene, node, amount, mode);
    running[amount] = ms;
    names.push(name);
  }
  const { rssKiB } = await scene.processOf(PLUGIN_NAME, node, PLUGIN_NAME);
  const figures = {
    totalMiB,
    mode,
    bytes: publishing?.encodedBytes ?? 0,
    allocatableMs,
    pluginRssMiB: Math.round(rssKiB / 1024),
    kubeletRssMiB: Math.round(scene.node(node).kubelet.rssKiB() / 1024),
    running,
  };
  await Promise.all(names.map((name) => scene.api.deletePod(scene.applications, name, 0)));
  scene.figures[`${totalMiB} MiB, ${mode}`] = figures;
  return figures;
}

async function ask(scene: ClusterScene, node: string, amount: number, mode: "device" | "counter") {
  const { applications: namespace } = scene;
  const name = scene.fresh("asks");
  // A number gives no device: that is a right of its own.
  const limits = { [AZURE_EPC_RESOURCE]: amount, ...(mode === "counter" ? { [ENCLAVE_RESOURCE]: 1 } : {}) };
  const args = ["--hold"];
  const started = performance.now();
  await scene.api.create(podManifest({ name, namespace, node, image: scene.images.probe, args, limits }));
  await scene.phase(namespace, name, "Running", 60_000);
  const ms = Math.round(performance.now() - started);
  const { value: log } = await until(`pod ${name} says what it sees`, 10_000, async () => {
    const log = await scene.api.log(namespace, name);
    expect(log.startsWith("{"), "nothing yet");
    return log;
  });
  const { sgx } = JSON.parse(log) as { sgx: Record<string, string> };
  expectEqual(sgx["/dev/sgx_enclave"], "ok", `/dev/sgx_enclave in the pod with ${amount} MiB`);
  return { name, ms };
}

/** Two pods of which only one fits: the scheduler counts. */
async function refusedBeyond(scene: ClusterScene, node: string, totalMiB: number): Promise<void> {
  const { applications: namespace } = scene;
  const amount = Math.floor(totalMiB / 2) + 1;
  const first = await ask(scene, node, amount, "counter");
  const second = scene.fresh("asks-too-much");
  const limits = { [AZURE_EPC_RESOURCE]: amount };
  await scene.api.create(podManifest({ name: second, namespace, node, image: scene.images.probe, limits }));
  await until("the second pod is refused", 20_000, async () => {
    const { status } = await scene.api.pod(namespace, second);
    const scheduled = status.conditions?.find(({ type }) => type === "PodScheduled");
    expect(
      scheduled?.message?.includes(`Insufficient ${AZURE_EPC_RESOURCE}`) === true,
      `${status.phase} ${scheduled?.message ?? ""}`,
    );
  });
  await Promise.all([first.name, second].map((name) => scene.api.deletePod(namespace, name, 0)));
}

/** Somebody takes the number away, and the kubelet starts again: it is there again after both. */
async function counterLasts(scene: ClusterScene, totalMiB: number): Promise<void> {
  const status = { capacity: { [AZURE_EPC_RESOURCE]: null } };
  await scene.api.patch(`/api/v1/nodes/${BIG_NODE}/status`, { status }, "application/merge-patch+json");
  await scene.allocatable(BIG_NODE, AZURE_EPC_RESOURCE, totalMiB, 45_000);
  await scene.node(BIG_NODE).kubelet.restart();
  const restarted = Date.now();
  await until("the new kubelet has written the node's status", 45_000, async () => {
    const { conditions } = (await scene.api.node(BIG_NODE)).status;
    const heartbeat = conditions.find(({ type }) => type === "Ready")?.lastHeartbeatTime ?? "";
    expect(Date.parse(heartbeat) >= restarted, `last written at ${heartbeat}`);
  });
  await scene.allocatable(BIG_NODE, AZURE_EPC_RESOURCE, totalMiB, 45_000);
}

/** One list more than fits: said before anything is sent, so that the kubelet goes on listening. */
async function tooLongForTheKubelet(scene: ClusterScene): Promise<void> {
  scene.node(SGX_NODE).fixture.setEpcMiB(LARGEST_AZURE + 1024);
  await until("the plugin says that the list is too long", 30_000, async () => {
    const { problems, publishing, resources } = await scene.pluginStatus(SGX_NODE);
    const codes = problems.map(({ code }) => code).join();
    expect(codes.includes("EPC_LIST_TOO_LARGE"), `problems: ${codes || "none"}; mode ${publishing?.mode}`);
    for (const { name, listAndWatchOpen } of resources) expect(listAndWatchOpen, `the list of ${name} is not read`);
  });
  expect(!/ResourceExhausted/.test(scene.node(SGX_NODE).kubelet.log()), "the kubelet was sent more than it takes");
}

function told({ totalMiB, mode, bytes, pluginRssMiB, kubeletRssMiB, running }: Published): string {
  const asked = Object.entries(running).map(
    ([amount, ms]) => `${amount} MiB running after ${(ms / 1000).toFixed(1)} s`,
  );
  return `${totalMiB} ${mode}: ${bytes} bytes, plugin ${pluginRssMiB} MiB, kubelet ${kubeletRssMiB} MiB, ${asked.join(", ")}`;
}
