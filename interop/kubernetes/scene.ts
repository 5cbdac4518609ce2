import type { ChildProcess } from "node:child_process";
import {
  DEFAULT_VALUES,
  type KubernetesObject,
  type ManifestPart,
  type ManifestValues,
  manifestValues,
  manifestYaml,
  NODE_STATUS_PORT,
  PLUGIN_NAME,
  PLUGIN_PORT,
  type PluginStatus,
  QUOTE_HELPER_NAME,
  renderManifests,
} from "@confcom/kubernetes";
import { stringify } from "yaml";
import { expect } from "../check.ts";
import type { Cluster, ClusterNode, Finished, NodeOptions } from "./cluster/cluster.ts";
import { provideStorage } from "./cluster/storage.ts";
import { type Installation, install } from "./installation.ts";
import type { ApiClient } from "./observe/api-client.ts";
import { type ContainerProcess, containerProcess } from "./observe/container-process.ts";
import { diagnosis } from "./observe/diagnosis.ts";
import { type ServedApi, serveApi } from "./observe/kubectl-proxy.ts";
import { count, type DaemonSet, type Pod } from "./observe/kubernetes-objects.ts";
import { portableKubeconfig } from "./observe/portable-kubeconfig.ts";
import { type Reached, until } from "./observe/until.ts";
import { type CommandOptions, Product } from "./product.ts";

export const SGX_NODE = "sgx-1";
export const SECOND_SGX_NODE = "sgx-2";
export const PLAIN_NODE = "plain-1";

/** EPC of the SGX nodes, MiB: small enough to fill, large enough to shrink. */
export const EPC_MIB = 512;

/** Where the add-on is installed. */
export const NAMESPACE = "kube-system";

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

/** Milliseconds for `confcom addon enable` and `update`, which wait for pods of every kind on every node. */
const CHANGING = 240_000;

export type GivenValues = Partial<ManifestValues>;

export interface Materials {
  /** Directory of the cluster's programs, and their versions by name. */
  readonly binaries: string;
  readonly dnsProgram: string;
  readonly versions: Readonly<Record<string, string>>;
  /** Archives. */
  readonly pause: string;
  readonly probe: string;
}

export interface SceneOptions {
  /** Version of the image under test. */
  readonly version: string;
  readonly nodes: readonly NodeOptions[];
  /** Under the values of whoever installs. */
  readonly baseValues: GivenValues;
  /** A node whose directories are the volumes of a default StorageClass; there is none unless given. */
  readonly storageNode?: string;
  startCluster(nodes: readonly NodeOptions[]): Promise<Cluster>;
  /** What another cluster would be made of: the directory of binaries, and archives. */
  materials(): Promise<Materials>;
  /** Archives of every image that a pod of ours runs. */
  imageArchives(): Promise<readonly string[]>;
  log(line: string): void;
}

interface Running {
  readonly cluster: Cluster;
  readonly served: ServedApi;
  readonly product: Product;
}

/**
 * What the checks share: one cluster, brought up at first use, and ways to look at it. Part one installs confcom there from
 * its manifests (`installed`), part two by its own command (`withAddon`); a scene is used in one of the two ways.
 */
export class ClusterScene {
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
  /** What the add-on was enabled with, as JSON; undefined when it is not or nobody knows. */
  #addon: string | undefined;
  #generation = "0";
  #closed: Promise<void> | undefined;
  #names = 0;

  constructor(options: SceneOptions) {
    this.#options = options;
    this.images = {
      confcom: `localhost/confcom:${options.version}`,
      probe: "localhost/confcom-probe:1",
      attester: `localhost/confcom-remote-attestation:${options.version}`,
    };
  }

  get cluster(): Cluster {
    if (this.#running === undefined) throw new Error("the cluster is not up");
    return this.#running.cluster;
  }

  get api(): ApiClient {
    if (this.#running === undefined) throw new Error("the cluster is not up");
    return this.#running.served.api;
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
    const { product } = await this.#started();
    this.#notice(args);
    return product.run(args, options);
  }

  /** The same for a command that is to be killed or never ends. The cluster must be up. */
  spawnConfcom(args: readonly string[], options?: Pick<CommandOptions, "env">): ChildProcess {
    this.#notice(args);
    return this.#product().spawn(args, options);
  }

  /** `kubectl confcom ARGS`, found on PATH as kubectl finds its plugins. */
  async kubectlConfcom(args: readonly string[], options?: CommandOptions): Promise<Finished> {
    const { product } = await this.#started();
    this.#notice(args);
    return product.runAsPlugin(args, options);
  }

  /** The path of a file for `--values`: these values over what this cluster's nodes want (image, where EPC is told). */
  valuesFile(given: GivenValues = {}): string {
    return this.#product().file(stringify(this.addonValues(given)));
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
    const wanted = JSON.stringify(given);
    if (this.#addon === wanted) return;
    await this.#started();
    const began = performance.now();
    const show = await this.confcom(["addon", "show", "--addon", "confcom"]);
    const verb = show.status === 0 ? "update" : "enable";
    await this.#changeAddon([verb, "--enable-sgxquotehelper", "--reset-values", "--values", this.valuesFile(given)]);
    this.#addon = wanted;
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    this.log(`addon ${verb} with ${wanted}: ready after ${seconds} s`);
  }

  /**
   * The add-on disabled by its own command, whatever holds its resources. Kubelets show the names of resources that are
   * gone, as 0, for five minutes longer; nobody waits for that here.
   */
  async withoutAddon(): Promise<void> {
    await this.#started();
    await this.#changeAddon(["disable", "--force", "--yes", "--no-wait"], /is not installed/);
  }

  async #changeAddon([verb = "", ...flags]: readonly string[], allowed?: RegExp): Promise<void> {
    const args = ["addon", verb, "--addon", "confcom", ...flags];
    const { status, stdout, stderr } = await this.confcom(args, { timeoutMs: CHANGING });
    const said = `${stderr}${stdout}`.trim();
    const done = status === 0 || allowed?.test(said) === true;
    expect(done, `confcom addon ${verb}: exit ${status}: ${said.slice(-2000)}`);
  }

  /** A check that changes the add-on by itself leaves the next one to begin anew. */
  #notice(args: readonly string[]): void {
    if (
      /addon/.test(args[0] ?? "") &&
      /^(enable|disable|update)/.test(args[0] === "addon" ? (args[1] ?? "") : (args[0] ?? ""))
    ) {
      this.#addon = undefined;
    }
  }

  #product(): Product {
    if (this.#running === undefined) throw new Error("the cluster is not up");
    return this.#running.product;
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
    this.#running = { cluster, served, product: new Product(cluster) };
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
    this.#addon = undefined;
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

  /** Waits until every pod of a DaemonSet is of its newest template and ready. */
  rolledOut(name: string, limit: number): Promise<Reached<DaemonSet>> {
    return until(`DaemonSet ${name} is rolled out`, limit, async () => {
      const set = await this.api.daemonSet(NAMESPACE, name);
      const { status, metadata } = set;
      const { observedGeneration, desiredNumberScheduled: desired, updatedNumberScheduled, numberAvailable } = status;
      expect(observedGeneration === metadata.generation, "the controller has not seen the change");
      expect(updatedNumberScheduled === desired, `${updatedNumberScheduled ?? 0} of ${desired} pods updated`);
      expect((numberAvailable ?? 0) === desired, `${numberAvailable ?? 0} of ${desired} pods available`);
      return set;
    });
  }

  /** The pod of one of our DaemonSets on a node; one that is being deleted does not count. */
  async podOf(daemonSet: string, node: string): Promise<Pod> {
    const pods = await this.api.pods(`app=${daemonSet}`, NAMESPACE);
    const here = pods.filter(
      ({ spec, metadata }) => spec.nodeName === node && metadata.deletionTimestamp === undefined,
    );
    const pod = here.find(({ status }) => status.phase !== "Failed") ?? here[0];
    if (pod === undefined) throw new Error(`no pod of ${daemonSet} on ${node}`);
    return pod;
  }

  /** Waits until that pod is ready with all its containers. */
  ready(daemonSet: string, node: string, limit: number): Promise<Reached<Pod>> {
    return until(`${daemonSet} is ready on ${node}`, limit, async () => {
      const pod = await this.podOf(daemonSet, node);
      expect(isReady(pod), `${pod.metadata.name} is ${pod.status.phase}, not ready`);
      return pod;
    });
  }

  async pluginStatus(node: string): Promise<PluginStatus> {
    return this.statusOfPod((await this.podOf(PLUGIN_NAME, node)).metadata.name);
  }

  statusOfPod(pod: string): Promise<PluginStatus> {
    return this.api.ofPod<PluginStatus>(NAMESPACE, pod, PLUGIN_PORT, "/status");
  }

  async nodeStatusOf<T>(node: string): Promise<T> {
    const pod = await this.podOf(PLUGIN_NAME, node);
    return this.api.ofPod<T>(NAMESPACE, pod.metadata.name, NODE_STATUS_PORT, "/status");
  }

  async processOf(daemonSet: string, node: string, container: string): Promise<ContainerProcess> {
    return containerProcess(await this.podOf(daemonSet, node), container);
  }

  /** What the scheduler may give away of a resource on a node, and how much there is. */
  async resource(node: string, name: string): Promise<{ allocatable: number; capacity: number }> {
    const { status } = await this.api.node(node);
    return { allocatable: count(status.allocatable[name]), capacity: count(status.capacity[name]) };
  }

  allocatable(node: string, name: string, expected: number, limit: number): Promise<Reached<void>> {
    return until(`${name} allocatable on ${node} is ${expected}`, limit, async () => {
      const { allocatable, capacity } = await this.resource(node, name);
      expect(allocatable === expected, `allocatable ${allocatable}, capacity ${capacity}`);
    });
  }

  phase(namespace: string, name: string, phase: string, limit: number): Promise<Reached<Pod>> {
    return until(`pod ${name} is ${phase}`, limit, async () => {
      const pod = await this.api.pod(namespace, name);
      expect(
        pod.status.phase === phase,
        `it is ${pod.status.phase} ${pod.status.reason ?? ""} ${pod.status.message ?? ""}`,
      );
      return pod;
    });
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

export function isReady(pod: Pod): boolean {
  return pod.status.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
}

function allAtOnce(object: KubernetesObject): object {
  const { spec } = object as KubernetesObject & { spec: object };
  return {
    ...object,
    spec: { ...spec, updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: "100%" } } },
  };
}
