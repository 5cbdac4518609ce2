import { expect } from "../../check.ts";
import { describePod } from "../observe/kubernetes-objects.ts";
import { until } from "../observe/until.ts";
import type { ClusterScene } from "../scene.ts";
import { type PodRequest, podManifest } from "./pod-manifest.ts";

/** What a container sees, as the probe's one line of JSON says it. Results of opening are "ok" or an errno name. */
export interface Seen {
  readonly uid: number;
  readonly CapEff: string;
  readonly serviceAccountToken: boolean;
  readonly rootWritable: string;
  readonly sgx: Readonly<
    Record<"/dev/sgx_enclave" | "/dev/sgx/enclave" | "/dev/sgx_provision" | "/dev/sgx/provision", string>
  >;
  readonly env: Readonly<Record<string, string>>;
  readonly aesm: {
    readonly exists: boolean;
    readonly directory: boolean;
    readonly connect: string;
    readonly create: string;
  };
  readonly mounts: readonly { readonly point: string; readonly readOnly: boolean }[];
}

export type ProbeRequest = Omit<PodRequest, "name" | "image" | "namespace"> & { readonly namespace?: string };

/** Starts a pod that asks for the given things, and gives what it saw. The pod stays and holds what it got until deleted. */
export async function probe(
  scene: ClusterScene,
  stem: string,
  request: ProbeRequest,
  limit = 30_000,
): Promise<{ readonly pod: string; readonly seen: Seen; readonly ms: number }> {
  const { namespace = scene.applications } = request;
  const name = scene.fresh(stem);
  await scene.api.create(podManifest({ args: ["--hold"], ...request, name, namespace, image: scene.images.probe }));
  const { value: seen, ms } = await until(`pod ${name} says what it sees`, limit, async () => {
    const pod = await scene.api.pod(namespace, name);
    expect(pod.status.phase === "Running" || pod.status.phase === "Succeeded", `${name} is ${describePod(pod)}`);
    const line = (await scene.api.log(namespace, name)).split("\n").find((text) => text.startsWith("{"));
    if (line === undefined) throw new Error("it has said nothing yet");
    return JSON.parse(line) as Seen;
  });
  return { pod: name, seen, ms };
}
