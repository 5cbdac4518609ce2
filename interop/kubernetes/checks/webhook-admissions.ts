import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect } from "../../check.ts";
import { until } from "../observe/until.ts";
import type { ClusterScene } from "../scene.ts";
import type { AdmissionCounts } from "../workload/admission-load.ts";

const PROGRAM = fileURLToPath(new URL("../workload/admission-load.ts", import.meta.url));
export const LOAD_NAMESPACE = "webhook-load";
const LANES = 8;

/** Pods that opt in are created as a trial for as long as `use` takes. Answers what became of them. */
export async function underAdmissions(
  scene: ClusterScene,
  use: (seen: () => AdmissionCounts) => Promise<void>,
): Promise<AdmissionCounts> {
  const pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { generateName: "load-", namespace: LOAD_NAMESPACE },
    spec: {
      containers: [{ name: "app", image: scene.images.probe, env: [{ name: "SGX_AESM_ADDR", value: "1" }] }],
    },
  };
  const load = scene.cluster.spawnBeside([process.execPath, PROGRAM, String(LANES), JSON.stringify(pod)]);
  const ended = once(load, "exit");
  try {
    const latest = counts(load);
    const seen = (): AdmissionCounts => {
      const now = latest();
      if (now === undefined) throw new Error("the load has said nothing yet");
      return now;
    };
    await until("the load runs", 30_000, () => expect(seen().changed > 100, `${seen().changed} pods changed`));
    await use(seen);
    load.stdin?.end();
    await ended;
    return seen();
  } finally {
    load.kill("SIGKILL");
  }
}

function counts(load: ChildProcess): () => AdmissionCounts | undefined {
  let latest: AdmissionCounts | undefined;
  let said = "";
  load.stderr?.on("data", (data) => {
    said = `${said}${data}`.slice(-1000);
  });
  if (load.stdout === null) throw new Error("the load's output is no pipe");
  createInterface({ input: load.stdout }).on("line", (line) => {
    latest = JSON.parse(line) as AdmissionCounts;
  });
  return () => {
    if (load.exitCode !== null && load.exitCode !== 0) throw new Error(`the load ended: ${said}`);
    return latest;
  };
}

export function summary({ changed, unchanged, failed, p50Ms, p99Ms, maximumMs }: AdmissionCounts): string {
  return `${changed} changed, ${unchanged} unchanged, ${failed} failed; p50 ${p50Ms}, p99 ${p99Ms}, max ${maximumMs} ms`;
}
