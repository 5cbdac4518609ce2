import { AZURE_EPC_RESOURCE } from "@confcom/kubernetes";
import { expect } from "../../check.ts";
import type { Pod } from "../observe/kubernetes-objects.ts";
import { until } from "../observe/until.ts";
import type { ClusterScene } from "../scene.ts";
import { podManifest } from "./pod-manifest.ts";

/** Pods that hold EPC and must not notice what happens around them. */
export class EpcPods {
  readonly #scene: ClusterScene;
  readonly #before: ReadonlyMap<string, string>;
  readonly names: readonly string[];

  private constructor(scene: ClusterScene, pods: readonly Pod[]) {
    this.#scene = scene;
    this.names = pods.map(({ metadata }) => metadata.name);
    this.#before = new Map(pods.map((pod) => [pod.metadata.name, identity(pod)]));
  }

  /** One running pod on the node for each of the sizes, MiB. */
  static async start(scene: ClusterScene, node: string, sizes: readonly number[], limit = 30_000): Promise<EpcPods> {
    const { applications: namespace } = scene;
    const pods = await Promise.all(
      sizes.map(async (size) => {
        const name = scene.fresh("holds-epc");
        const limits = { [AZURE_EPC_RESOURCE]: size };
        const args = ["--hold"];
        await scene.api.create(podManifest({ name, namespace, node, image: scene.images.probe, args, limits }));
        return (await scene.phase(namespace, name, "Running", limit)).value;
      }),
    );
    return new EpcPods(scene, pods);
  }

  /** Throws unless every pod still runs in the container that it was started with. */
  async expectUntouched(): Promise<void> {
    for (const [name, before] of this.#before) {
      const pod = await this.#scene.api.pod(this.#scene.applications, name);
      expect(identity(pod) === before, `pod ${name}: was ${before}, is ${identity(pod)}`);
    }
  }

  async stop(): Promise<void> {
    const { api, applications } = this.#scene;
    await Promise.all(this.names.map((name) => api.deletePod(applications, name, 0)));
    await until("the pods with EPC are gone", 20_000, async () => {
      const left = (await api.pods("", applications)).filter(({ metadata }) => this.names.includes(metadata.name));
      expect(left.length === 0, `${left.length} left`);
    });
  }
}

function identity({ status }: Pod): string {
  const containers = status.containerStatuses ?? [];
  return `${status.phase} ${containers.map(({ containerID, restartCount }) => `${containerID} restarts ${restartCount}`)}`;
}
