import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import type { Finished } from "../cluster/cluster.ts";
import type { ClusterScene } from "../scene.ts";

const CHART = fileURLToPath(new URL("../../../deploy/helm/confcom/", import.meta.url));
const RELEASE = "confcom";

/** The helm of the cluster's programs and our chart. What helm keeps lies in a directory of its own, gone with `close`. */
export class Helm {
  readonly #scene: ClusterScene;
  readonly #program: string;
  readonly #kubeVersion: string;
  readonly #directory = mkdtempSync(join(tmpdir(), "confcom-helm-"));

  private constructor(scene: ClusterScene, program: string, kubeVersion: string) {
    this.#scene = scene;
    this.#program = program;
    this.#kubeVersion = kubeVersion;
  }

  static async of(scene: ClusterScene): Promise<Helm> {
    const { binaries, versions } = await scene.materials();
    return new Helm(scene, join(binaries, "helm"), versions["kube-apiserver"] ?? "");
  }

  template(values: object, namespace: string): Promise<Finished> {
    const own = ["--kube-version", this.#kubeVersion];
    return this.#run(["template", RELEASE, CHART, "--namespace", namespace, ...own], values);
  }

  /** `action` is install or upgrade. Waits for what helm knows how to wait for. */
  release(action: "install" | "upgrade", values: object, namespace: string): Promise<Finished> {
    return this.#run([action, RELEASE, CHART, "--namespace", namespace, "--wait", "--timeout", "150s"], values);
  }

  uninstall(namespace: string): Promise<Finished> {
    return this.#run(["uninstall", RELEASE, "--namespace", namespace, "--wait", "--timeout", "90s"]);
  }

  close(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #run(args: readonly string[], values?: object): Promise<Finished> {
    const file = join(this.#directory, "values.yaml");
    if (values !== undefined) writeFileSync(file, stringify(values, { version: "1.1" }));
    const home = (name: string) => join(this.#directory, name);
    return this.#scene.cluster.runBeside(
      [this.#program, ...args, ...(values === undefined ? [] : ["--values", file])],
      {
        env: { HELM_CACHE_HOME: home("cache"), HELM_CONFIG_HOME: home("config"), HELM_DATA_HOME: home("data") },
        timeoutMs: 180_000,
        allowFailure: true,
      },
    );
  }
}
