import { expect } from "../../check.ts";
import { describePod } from "../observe/kubernetes-objects.ts";
import { until, Violation } from "../observe/until.ts";
import type { ClusterScene } from "../scene.ts";

export interface JobRun {
  readonly succeeded: boolean;
  readonly exitCode: number;
  readonly node: string;
  readonly log: string;
  readonly ms: number;
}

/** Waits for the end of a Job that exists; a failed one is a result too. */
export async function jobEnd(scene: ClusterScene, namespace: string, name: string, limit: number): Promise<JobRun> {
  const { value, ms } = await until(`Job ${name} ends`, limit, async () => {
    const job = await scene.api.job(namespace, name);
    const [pod] = await scene.api.pods(`job-name=${name}`, namespace);
    const ended = job.status.conditions?.find(
      ({ type, status }) => /^(Complete|Failed)$/.test(type) && status === "True",
    );
    expect(ended !== undefined, `its pod is ${pod === undefined ? "not there" : describePod(pod)}`);
    if (pod === undefined) throw new Violation(`Job ${name} ended without a pod: ${ended.message}`);
    return { pod, succeeded: ended.type === "Complete" };
  });
  const { pod, succeeded } = value;
  const state = pod.status.containerStatuses?.[0]?.state?.terminated;
  const log = await scene.api.log(namespace, pod.metadata.name);
  return { succeeded, exitCode: state?.exitCode ?? -1, node: pod.spec.nodeName ?? "", log, ms };
}

/** Creates a Job and waits for its end. */
export async function runJob(scene: ClusterScene, job: object, limit: number): Promise<JobRun> {
  const { metadata } = job as { metadata: { name: string; namespace: string } };
  const started = performance.now();
  await scene.api.create(job);
  const end = await jobEnd(scene, metadata.namespace, metadata.name, limit);
  return { ...end, ms: Math.round(performance.now() - started) };
}

export async function runSuccessfulJob(scene: ClusterScene, job: object, limit: number): Promise<JobRun> {
  const run = await runJob(scene, job, limit);
  expect(run.succeeded, `exit ${run.exitCode}: ${run.log.trim().split("\n").slice(-6).join(" | ")}`);
  return run;
}
