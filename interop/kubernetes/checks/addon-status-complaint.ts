import { type AddonStatus, addonStatus, type StatusAccess, takeSnapshot } from "@confcom/kubernetes/addon";
import { expect, expectEqual } from "../../check.ts";
import { until } from "../observe/until.ts";
import type { ClusterScene } from "../scene.ts";
import { NAMESPACE } from "../scene-names.ts";
import type { GivenValues } from "../scene-options.ts";

/** Something that users complain about, made in the cluster, and what the status is to say about it: that and nothing else. */
export interface Complaint {
  readonly name: string;
  readonly codes: readonly string[];
  /** What the add-on is enabled with; default nothing special. */
  readonly values?: GivenValues;
  /** Makes it, and answers how it is taken away again. */
  make(scene: ClusterScene): Promise<() => Promise<unknown>>;
}

/** Milliseconds until the cluster shows what was done to it: the kubelet's and node-status' rounds, retries of the API. */
const APPEARS = 90_000;

/** Milliseconds until everything is as before: pods are made again, devices come back. */
const HEALS = 120_000;

/** Between two looks, ms: each reads some fifty documents. */
const PAUSE = 500;

/** `confcom addon status`, and the status that it ended with. */
export async function statusOf(scene: ClusterScene): Promise<{ readonly status: AddonStatus; readonly exit: number }> {
  const { stdout, stderr, status: exit } = await scene.confcom(["addon", "status", "--output", "json"]);
  expect(exit === 0 || exit === 1, `confcom addon status: exit ${exit}: ${stderr.slice(-500)}`);
  return { status: JSON.parse(stdout) as AddonStatus, exit };
}

/** Makes the complaint in a healthy cluster, waits until the status says exactly what it is, and takes it away again. */
export async function reproduced(scene: ClusterScene, { codes, values, make }: Complaint): Promise<string> {
  await scene.withAddon(values ?? {});
  await healthy(scene);
  const undo = await make(scene);
  try {
    const { value, ms } = await until(`the status says ${codes.join(", ")}`, APPEARS, () => says(scene, codes), PAUSE);
    const { status, exit } = await statusOf(scene);
    expectCodes(status, codes);
    expectEqual(exit, status.healthy ? 0 : 1, "exit status of confcom addon status");
    return `after ${(ms / 1000).toFixed(1)} s: ${value.problems[0]?.cause.slice(0, 160)}`;
  } finally {
    await undo();
    await healthy(scene);
  }
}

function healthy(scene: ClusterScene): Promise<unknown> {
  return until("the status has no problem", HEALS, () => says(scene, []), PAUSE);
}

/** The same reading without starting a command for each look. */
async function says(scene: ClusterScene, codes: readonly string[]): Promise<AddonStatus> {
  const access: StatusAccess = {
    async read(path, { timeoutMs }) {
      const { status, body } = await scene.api.send("GET", path, { limit: timeoutMs });
      if (status !== 200) throw Object.assign(new Error(`GET ${path}: ${status}: ${body.slice(0, 200)}`), { status });
      return JSON.parse(body) as unknown;
    },
  };
  const status = addonStatus(await takeSnapshot(access, { namespace: NAMESPACE, now: Date.now() }));
  expectCodes(status, codes);
  return status;
}

function expectCodes({ problems }: AddonStatus, codes: readonly string[]): void {
  const told = [...new Set(problems.map(({ code }) => code))].sort();
  const causes = problems.map(({ code, object, cause }) => `${code} ${object.name}: ${cause}`).join(" | ");
  expectEqual(told.join(), [...codes].sort().join(), `codes (${causes.slice(0, 900)})`);
}
