import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import type { BesideOptions, Cluster, ClusterNode, Finished, NodeOptions, RunOptions, Service } from "./cluster.ts";
import { runInMachine, runInNetwork } from "./commands.ts";
import { ControlClient } from "./control-client.ts";
import { ClusterError } from "./errors.ts";
import { type ClusterLayout, CONTROL_PLANE, clusterLayout } from "./layout.ts";
import { logTail } from "./log-tail.ts";
import { enterNetwork, spawnForUser } from "./namespaces.ts";
import { residentKiB } from "./resident-memory.ts";
import { sgxFixture } from "./sgx-fixture.ts";
import { type ClusterState, readState, supervisorLives } from "./state.ts";

const LONGEST_LOG = 16 * 1024 * 1024;
const IMPORT_TIMEOUT_MS = 300_000;

/** The cluster that runs in `directory`, as any process of this machine may use it. Fails with NOT_RUNNING if there is none. */
export async function attachCluster(
  directory: string,
  log: (line: string) => void = () => {},
): Promise<AttachedCluster> {
  const layout = clusterLayout(directory);
  const state = readState(layout.state);
  if (state === undefined || !supervisorLives(state)) {
    throw new ClusterError("NOT_RUNNING", `no cluster is running in ${directory}`);
  }
  const control = await ControlClient.connect(layout.control);
  control.log = log;
  return new AttachedCluster(layout, control);
}

export class AttachedCluster implements Cluster {
  readonly directory: string;
  readonly kubeconfig: string;
  readonly apiServer: Service;
  readonly controlPlane: Cluster["controlPlane"];
  readonly #layout: ClusterLayout;
  readonly #control: ControlClient;
  readonly #nodes = new Map<string, ClusterNode>();

  constructor(layout: ClusterLayout, control: ControlClient) {
    this.#layout = layout;
    this.#control = control;
    this.directory = layout.directory;
    this.kubeconfig = layout.kubeconfig;
    this.apiServer = this.#service(`${CONTROL_PLANE}/kube-apiserver`);
    this.controlPlane = {
      etcd: this.#service(`${CONTROL_PLANE}/etcd`),
      controllerManager: this.#service(`${CONTROL_PLANE}/kube-controller-manager`),
      scheduler: this.#service(`${CONTROL_PLANE}/kube-scheduler`),
      dns: this.#service(`${CONTROL_PLANE}/coredns`),
    };
  }

  get name(): string {
    return this.#state().name;
  }

  get timeline(): Cluster["timeline"] {
    return this.#state().timeline;
  }

  /** Resolves when the cluster is up, or fails with what did not start. */
  ready(): Promise<void> {
    return this.#control.ask({ method: "ready" });
  }

  kubectl(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
    return this.runBeside(["kubectl", ...args], options);
  }

  runBeside(argv: readonly string[], options: BesideOptions = {}): Promise<Finished> {
    return runInNetwork(this.init(CONTROL_PLANE), argv, { ...options, env: this.#besideEnvironment(options.env) });
  }

  spawnBeside(argv: readonly string[], options: Pick<BesideOptions, "env"> = {}): ChildProcess {
    // Into a network namespace nsenter enters without a fork: its process becomes the program's.
    const [program = "", ...rest] = enterNetwork(this.init(CONTROL_PLANE), argv);
    return spawn(program, rest, { stdio: "pipe", env: { ...process.env, ...this.#besideEnvironment(options.env) } });
  }

  #besideEnvironment(given: BesideOptions["env"] = {}): Record<string, string> {
    const { PATH, KUBECONFIG } = this.environment();
    return { KUBECONFIG, ...given, PATH: given.PATH === undefined ? PATH : `${given.PATH}:${PATH}` };
  }

  /** What a program needs in its environment to find kubectl and the cluster. */
  environment(): { readonly PATH: string; readonly KUBECONFIG: string } {
    const { binaries } = this.#state();
    return { PATH: `${binaries}:${process.env.PATH ?? ""}`, KUBECONFIG: this.kubeconfig };
  }

  async get<T>(args: readonly string[]): Promise<T> {
    const { stdout } = await this.kubectl(["get", ...args, "-o", "json"]);
    return JSON.parse(stdout) as T;
  }

  async apply(yaml: string): Promise<void> {
    await this.kubectl(["apply", "-f", "-"], { input: yaml });
  }

  async loadImage(archive: string, nodes = this.nodes().map((node) => node.name)): Promise<void> {
    const argv = ["ctr", "-n", "k8s.io", "images", "import", "-"];
    const options = { inputFile: archive, timeoutMs: IMPORT_TIMEOUT_MS };
    await Promise.all(nodes.map((node) => runInMachine(this.init(node), argv, options)));
  }

  async addNode(node: NodeOptions): Promise<ClusterNode> {
    await this.#control.ask({ method: "addNode", node });
    return this.node(node.name);
  }

  node(name: string): ClusterNode {
    const known = this.#nodes.get(name);
    if (known !== undefined) return known;
    const machine = this.#state().machines[name];
    if (machine?.node === undefined) throw new ClusterError("UNKNOWN_NODE", `the cluster has no node ${name}`);
    const init = () => this.init(name);
    const node: ClusterNode = {
      name,
      address: machine.address,
      exec: (argv, options) => runInMachine(init(), argv, options),
      spawn: (argv) => spawnForUser(init(), argv),
      kubelet: this.#service(`${name}/kubelet`),
      containerd: this.#service(`${name}/containerd`),
      kubeProxy: this.#service(`${name}/kube-proxy`),
      fixture: sgxFixture(init, this.#layout.machine(name).sysfsNode),
    };
    this.#nodes.set(name, node);
    return node;
  }

  nodes(): readonly ClusterNode[] {
    const { machines } = this.#state();
    return Object.keys(machines)
      .filter((name) => name !== CONTROL_PLANE)
      .map((name) => this.node(name));
  }

  async down(): Promise<void> {
    await this.#control.ask({ method: "down" });
    this.#control.close();
  }

  /** Lets the cluster run on without this process. */
  detach(): void {
    this.#control.close();
  }

  /** First process of a machine. */
  init(machine: string): number {
    const init = this.#state().machines[machine]?.init;
    if (init === undefined) throw new ClusterError("UNKNOWN_NODE", `the cluster has no machine ${machine}`);
    return init;
  }

  #state(): ClusterState {
    const state = readState(this.#layout.state);
    if (state === undefined) throw new ClusterError("NOT_RUNNING", `the cluster in ${this.directory} is down`);
    return state;
  }

  #service(service: string): Service {
    const ask = (method: "start" | "stop" | "restart" | "kill9") => () => this.#control.ask({ method, service });
    const pid = () => this.#state().services[service] ?? 0;
    return {
      pid,
      stop: ask("stop"),
      start: ask("start"),
      restart: ask("restart"),
      kill9: ask("kill9"),
      rssKiB: () => (pid() === 0 ? 0 : residentKiB(pid())),
      log: () => logTail(join(this.#layout.logs, `${service}.log`), LONGEST_LOG),
    };
  }
}
