import type { ChildProcess } from "node:child_process";
import {
  DEFAULT_VALUES,
  type KubernetesObject,
  type ManifestPart,
  manifestValues,
  manifestYaml,
  PLUGIN_NAME,
  QUOTE_HELPER_NAME,
  renderManifests,
} from "@confcom/kubernetes";
import { stringify } from "yaml";
import { AddonByCommand } from "./addon-by-command.ts";
import type { Cluster, ClusterNode, Finished, NodeOptions } from "./cluster/cluster.ts";
import { provideStorage } from "./cluster/storage.ts";
import { type Installation, install } from "./installation.ts";
import type { ApiClient } from "./observe/api-client.ts";
import { DaemonPods } from "./observe/daemon-pods.ts";
import { diagnosis } from "./observe/diagnosis.ts";
import { type ServedApi, serveApi } from "./observe/kubectl-proxy.ts";
import { portableKubeconfig } from "./observe/portable-kubeconfig.ts";
import { type CommandOptions, Product } from "./product.ts";
import { EPC_MIB, NAMESPACE, PLAIN_NODE, SECOND_SGX_NODE, SGX_NODE } from "./scene-names.ts";
import type { GivenValues, Materials, SceneOptions } from "./scene-options.ts";

/** Of pods: changes with every update. */
const GENERATION = "checks.confcom.dev/generation";

/** Milliseconds for new pods of both DaemonSets on every node. */
const ROLL_OUT = 90_000;

/** Part one's values: what every node has, without what needs the rest of the cluster. */
export const DAEMONS_ALONE: GivenValues = {
  webhook: { ...DEFAULT_VALUES.webhook, enabled: false },
  policies: { ...DEFAULT_VALUES.policies, enabled: false },
  pccs: { ...DEFAULT_VALUES.pccs, enabled: false },
};

interface Running {
  readonly cluster: Cluster;
  readonly served: ServedApi;
  readonly product: Product;
  readonly addon: AddonByCommand;
}

/**
 * What the checks share: one cluster, brought up at first use, and ways to look at it. Part one installs confcom there from
 * its manifests (`installed`), part two by its own command (`withAddon`); a scene is used in one of the two ways.
 */
export class ClusterScene extends DaemonPods {
  /** Enforces the pod-security level "restricted". */
  readonly applications = "applications";
  /** Allows anything: for pods that mount directories of the host. */
  readonly open = "open";
  readonly images: { readonly confcom: string; readonly probe: string; readonly attester: string };
  /** Everything measured, for the report. */
  readonly figures: Record<string, unknown> = {};
  readonly #options: SceneOptions;
  #up: Promise<Running> | undefined;
  #running: Running | undefined;
  #installation: Promise<Installation> | undefined;
  /** What differs from the defaults now. */
  #values: GivenValues = {};
  #generation = "0";
  #closed: Promise<void> | undefined;
  #names = 0;

  constructor(options: SceneOptions) {
    super();
    this.#options = options;
    this.images = {
      confcom: `localhost/confcom:${options.version}`,
      probe: "localhost/confcom-probe:1",
      attester: `localhost/confcom-remote-attestation:${options.version}`,
    };
  }

  get cluster(): Cluster {
    return this.#present().cluster;
  }

  get api(): ApiClient {
    return this.#present().served.api;
  }

  log(line: string): void {
    this.#options.log(line);
  }

  /** One node with SGX and one without, images loaded, nothing of ours installed. */
  async up(): Promise<Cluster> {
    return (await this.#started()).cluster;
  }

  materials(): Promise<Materials> {
    return this.#options.materials();
  }

  async programVersions(): Promise<Materials["versions"]> {
    return (await this.materials()).versions;
  }

  /** The API server as the holder of a token. */
  serveApiAs(token: string): Promise<ServedApi> {
    return serveApi(this.node(PLAIN_NODE), portableKubeconfig(this.cluster.kubeconfig, token));
  }

  /** The add-on installed with its defaults, its quote helper ready on every SGX node. */
  async installed(): Promise<Installation> {
    this.#installation ??= install(this);
    const installation = await this.#installation;
    await this.installedWith({});
    return installation;
  }

  /**
   * The add-on installed with other values, until a check wants others again. Every pod is replaced at once, where the
   * manifests as they are would go node by node.
   */
  async installedWith(given: GivenValues): Promise<void> {
    this.#installation ??= install(this);
    await this.#installation;
    if (JSON.stringify(given) === JSON.stringify(this.#values)) return;
    this.#values = given;
    const objects = this.manifests(given).map((object) => (object.kind === "DaemonSet" ? allAtOnce(object) : object));
    await this.apply(objects);
    await Promise.all([PLUGIN_NAME, QUOTE_HELPER_NAME].map((name) => this.rolledOut(name, ROLL_OUT)));
  }

  /** `confcom ARGS` as the cluster's administrator; whatever status it ends with is in the result. */
  async confcom(args: readonly string[], options?: CommandOptions): Promise<Finished> {
    return (await this.#started()).addon.run(args, options);
  }

  /** The same for a command that is to be killed or never ends. The cluster must be up. */
  spawnConfcom(args: readonly string[], options?: Pick<CommandOptions, "env">): ChildProcess {
    return this.#present().addon.spawn(args, options);
  }

  /** `kubectl confcom ARGS`, found on PATH as kubectl finds its plugins. */
  async kubectlConfcom(args: readonly string[], options?: CommandOptions): Promise<Finished> {
    return (await this.#started()).addon.runAsPlugin(args, options);
  }

  /** The path of a file for `--values`: these values over what this cluster's nodes want (image, where EPC is told). */
  valuesFile(given: GivenValues = {}): string {
    return this.#present().product.file(stringify(this.addonValues(given)));
  }

  addonValues(given: GivenValues = {}): GivenValues {
    const { sysfsNodeDirectory } = this.node(SGX_NODE).fixture;
    return { image: this.images.confcom, sysfsNodeDirectory, ...this.#options.baseValues, ...given };
  }

  /**
   * The add-on enabled by its own command with the quote helper and these values, and waited for; nothing is done when it is
   * so already. Checks that ask for the same values one after the other share one installation.
   */
  async withAddon(given: GivenValues = {}): Promise<void> {
    await (await this.#started()).addon.enable(JSON.stringify(given), () => this.valuesFile(given));
  }

  /**
   * The add-on disabled by its own command, whatever holds its resources. Kubelets show the names of resources that are
   * gone, as 0, for five minutes longer; nobody waits for that here.
   */
  async withoutAddon(): Promise<void> {
    await (await this.#started()).addon.disable();
  }

  #present(): Running {
    if (this.#running === undefined) throw new Error("the cluster is not up");
    return this.#running;
  }

  #started(): Promise<Running> {
    this.#up ??= this.#start();
    return this.#up;
  }

  async #start(): Promise<Running> {
    const archives = this.#options.imageArchives();
    archives.catch(() => undefined);
    const cluster = await this.#options.startCluster(this.#options.nodes);
    const started = performance.now();
    for (const archive of await archives) await cluster.loadImage(archive);
    const served = await serveApi(cluster.node(PLAIN_NODE), portableKubeconfig(cluster.kubeconfig));
    const product = new Product(cluster);
    this.#running = { cluster, served, product, addon: new AddonByCommand(product, (line) => this.log(line)) };
    if (this.#options.storageNode !== undefined) await provideStorage(cluster, this.#options.storageNode);
    this.figures["cluster up"] = [
      ...cluster.timeline,
      { step: "images loaded", ms: Math.round(performance.now() - started) },
    ];
    const namespace = (name: string, level: string) => ({
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name, labels: { "pod-security.kubernetes.io/enforce": level } },
    });
    await this.apply([namespace(this.applications, "restricted"), namespace(this.open, "privileged")]);
    return this.#running;
  }

  /** A further node; with the images, the plugin's pod ready on it, and with SGX the quote helper's too. */
  async ensureNode(options: NodeOptions): Promise<ClusterNode> {
    this.#installation ??= install(this);
    await this.#installation;
    const known = this.cluster.nodes().find(({ name }) => name === options.name);
    if (known !== undefined) return known;
    const node = await this.cluster.addNode(options);
    for (const archive of await this.#options.imageArchives()) await this.cluster.loadImage(archive, [node.name]);
    await this.#dropWaiting(node.name);
    await this.ready(PLUGIN_NAME, node.name, 60_000);
    if (options.sgx !== undefined) await this.ready(QUOTE_HELPER_NAME, node.name, 60_000);
    return node;
  }

  /** DaemonSets know a node before its images are there; the kubelet would look for them again only after a while. */
  async #dropWaiting(node: string): Promise<void> {
    const pods = (await this.api.pods("", NAMESPACE)).filter(({ spec }) => spec.nodeName === node);
    const waiting = pods.filter(({ status }) =>
      status.containerStatuses?.some(({ state }) => /Image/.test(state?.waiting?.reason ?? "")),
    );
    await Promise.all(waiting.map(({ metadata }) => this.api.deletePod(NAMESPACE, metadata.name, 0)));
  }

  /** The second node with SGX, whose EPC is spread over two NUMA nodes; everything installed with its defaults. */
  async secondNode(): Promise<ClusterNode> {
    await this.installed();
    return this.ensureNode({ name: SECOND_SGX_NODE, sgx: { epcMiB: EPC_MIB, numaNodes: 2 } });
  }

  /** Takes away what a failed check may have left, so that the next one begins as if it had not been. */
  async clean(): Promise<void> {
    if (this.#running === undefined) return;
    this.#running.addon.forget();
    for (const namespace of [this.applications, this.open]) {
      for (const collection of [
        `/apis/batch/v1/namespaces/${namespace}/jobs`,
        `/apis/apps/v1/namespaces/${namespace}/replicasets`,
        `/api/v1/namespaces/${namespace}/pods`,
      ]) {
        await this.api.delete(`${collection}?propagationPolicy=Background&gracePeriodSeconds=0`).catch(() => undefined);
      }
    }
  }

  node(name: string): ClusterNode {
    return this.cluster.node(name);
  }

  async apply(objects: readonly object[] | string): Promise<void> {
    const yaml =
      typeof objects === "string"
        ? objects
        : objects
            .map((object) => `---\n${stringify(object, { version: "1.1", aliasDuplicateObjects: false })}`)
            .join("");
    await this.cluster.apply(yaml);
  }

  /** A name that no other object of this run has. */
  fresh(stem: string): string {
    return `${stem}-${++this.#names}`;
  }

  /** The objects of an installation with these values over what every check wants. */
  manifests(given: GivenValues, only?: ManifestPart): readonly KubernetesObject[] {
    const { sysfsNodeDirectory } = this.node(SGX_NODE).fixture;
    const podAnnotations = { [GENERATION]: this.#generation };
    const { confcom: image } = this.images;
    const { baseValues } = this.#options;
    const values = manifestValues({ image, sysfsNodeDirectory, podAnnotations, ...baseValues, ...given });
    return renderManifests(values, { version: this.#options.version, ...(only === undefined ? {} : { only }) });
  }

  /** Applies the manifests with their defaults, as they are. */
  async applyManifests(only?: ManifestPart): Promise<void> {
    await this.cluster.apply(manifestYaml(this.manifests({}, only)));
  }

  /** An update: new pod templates, applied as they are; pods are replaced as the manifests say. */
  async update(only?: ManifestPart): Promise<void> {
    if (only !== "quote-helper") this.#generation = this.fresh("generation");
    await this.applyManifests(only);
  }

  async diagnosis(): Promise<string[]> {
    return this.#running === undefined ? [] : diagnosis(this.#running.served.api);
  }

  /** Takes the cluster down, however far it came; a second call is the first. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    running?.served.stop();
    running?.product.close();
    const started = await this.#up?.catch(() => undefined);
    await (running ?? started)?.cluster.down();
  }
}

function allAtOnce(object: KubernetesObject): object {
  const { spec } = object as KubernetesObject & { spec: object };
  return {
    ...object,
    spec: { ...spec, updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: "100%" } } },
  };
}
