import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createCgroupTree, removeCgroupTree } from "./cgroups.ts";
import type { NodeOptions } from "./cluster.ts";
import { runInMachine, runInNetwork } from "./commands.ts";
import { API_SERVER, CONTROLLER_MANAGER, ETCD, type ProgramArguments, SCHEDULER } from "./control-plane-arguments.ts";
import { DNS, DNS_READY } from "./dns.ts";
import { ClusterError } from "./errors.ts";
import { kubeconfig } from "./kubeconfig.ts";
import {
  CONTROL_PLANE,
  cgroupTree,
  clusterLayout,
  MACHINE_PATHS,
  MAXIMUM_NODES,
  NETWORK,
  nodeAddress,
  nodeCgroupRoot,
  podRange,
} from "./layout.ts";
import { writeControlPlaneFiles, writeDnsFiles, writeNodeFiles } from "./machine-files.ts";
import { connectMachine } from "./machine-network.ts";
import { clusterScript, machineScript, SHADOWED_SYSCTLS } from "./machine-script.ts";
import { type NamespaceInit, startNamespace } from "./namespaces.ts";
import { containerdArguments, kubeletArguments, kubeProxyArguments, type NodePlan } from "./node-configuration.ts";
import { createPki } from "./pki.ts";
import { sgxFixture } from "./sgx-fixture.ts";
import type { ClusterState, MachineState } from "./state.ts";
import { SupervisedProgram } from "./supervised-program.ts";
import { Timeline } from "./timeline.ts";

/** What the supervisor is told by whoever starts it, in `options.json`. */
export interface SupervisorOptions {
  readonly name: string;
  readonly binaries: string;
  readonly pauseImage: string;
  readonly dnsProgram?: string;
  readonly featureGates?: string;
  readonly nodes: readonly NodeOptions[];
}

const API_SERVER_PATIENCE_MS = 120_000;
const NODE_PATIENCE_MS = 120_000;
const CONTAINERD_PATIENCE_MS = 60_000;
const DNS_PATIENCE_MS = 60_000;
const WATCHES_PAUSE_MS = 3000;

/** Programs that have features to switch. */
const GATED = /^kube-(apiserver|controller-manager|scheduler)$|^kubelet$/;

interface Machine {
  readonly init: NamespaceInit;
  readonly state: MachineState;
}

/** The cluster as its supervisor holds it: namespaces, machines, programs. */
export class RunningCluster {
  readonly #layout: ReturnType<typeof clusterLayout>;
  readonly #options: SupervisorOptions;
  readonly #log: (line: string) => void;
  readonly #changed: () => void;
  readonly #timeline: Timeline;
  readonly #machines = new Map<string, Machine>();
  readonly #programs = new Map<string, SupervisedProgram>();
  #outer: NamespaceInit | undefined;
  #nodeCount = 0;
  #ending = false;

  constructor(directory: string, options: SupervisorOptions, log: (line: string) => void, changed: () => void) {
    this.#layout = clusterLayout(directory);
    this.#options = options;
    this.#log = log;
    this.#changed = changed;
    this.#timeline = new Timeline(() => performance.now(), log);
  }

  state(): Pick<ClusterState, "outer" | "machines" | "services" | "timeline"> {
    return {
      outer: this.#outer?.pid ?? 0,
      machines: Object.fromEntries([...this.#machines].map(([name, machine]) => [name, machine.state])),
      services: Object.fromEntries([...this.#programs].map(([name, program]) => [name, program.pid])),
      timeline: this.#timeline.steps,
    };
  }

  /** Resolves when the outermost namespace's first process is gone, and everything with it. */
  get ended(): Promise<void> {
    return this.#outer?.ended ?? Promise.resolve();
  }

  program(service: string): SupervisedProgram {
    const program = this.#programs.get(service);
    if (program === undefined) throw new ClusterError("UNKNOWN_NODE", `the cluster runs no ${service}`);
    return program;
  }

  /** Starts a program of the cluster again; the API server counts as started when it is ready. */
  async startProgram(service: string): Promise<void> {
    await this.program(service).start();
    if (service === API_SERVER.service) await this.#untilApiServerReady();
    const [machine = "", name] = service.split("/");
    if (name === "containerd") await this.#untilContainerdAnswers(machine);
  }

  async up(): Promise<void> {
    const { nodes } = this.#options;
    await Promise.all([
      this.#timeline.step("certificates", () => createPki(this.#layout.pki)),
      this.#timeline.step("namespaces", async () => {
        this.#outer = await startNamespace(this.#script("cluster", clusterScript()));
      }),
    ]);
    chmodSync(this.#layout.pki, 0o700);
    writeFileSync(this.#layout.kubeconfig, kubeconfig("admin", this.#layout.pki), { mode: 0o600 });
    const workers = nodes.map((node) => this.#prepareNode(node));
    const prepared = Promise.all(workers);
    // A failure of the control plane is reported first; that of a node must not go unhandled meanwhile.
    prepared.catch(() => {});
    await this.#startControlPlane();
    await Promise.all([this.#startDns(), ...(await prepared).map((plan) => this.#joinNode(plan))]);
    await this.#timeline.step("service account for pods", () => this.#untilDefaultServiceAccount());
    for (const program of this.#programs.values()) program.keepRunning();
  }

  async addNode(node: NodeOptions): Promise<void> {
    await this.#joinNode(await this.#prepareNode(node));
    for (const program of this.#programs.values()) program.keepRunning();
  }

  /** Ends every process of the cluster at once; a start that is under way fails. */
  kill(): void {
    this.#ending = true;
    for (const program of this.#programs.values()) program.abandon();
    this.#outer?.process.kill("SIGKILL");
  }

  /** Ends every process, waits for the last, and removes what outlives processes. */
  async down(): Promise<void> {
    this.kill();
    await this.ended;
    await Promise.all([...this.#machines.values()].map((machine) => machine.init.ended));
    const left = await removeCgroupTree(cgroupTree(this.#options.name));
    if (left.length > 0) this.#log(`cgroups that could not be removed: ${left.join(", ")}`);
    rmSync(this.#layout.machines, { recursive: true, force: true });
    rmSync(this.#layout.pki, { recursive: true, force: true });
    rmSync(this.#layout.kubeconfig, { force: true });
  }

  async #startControlPlane(): Promise<void> {
    writeControlPlaneFiles(this.#layout);
    await this.#startMachine(CONTROL_PLANE, { address: NETWORK.controlPlane });
    await this.#timeline.step("etcd and API server", async () => {
      await this.#start(CONTROL_PLANE, ETCD);
      await this.#start(CONTROL_PLANE, API_SERVER);
      await this.#untilApiServerReady();
    });
    await this.#start(CONTROL_PLANE, CONTROLLER_MANAGER);
    await this.#start(CONTROL_PLANE, SCHEDULER);
  }

  async #startDns(): Promise<void> {
    const { dnsProgram } = this.#options;
    if (dnsProgram === undefined) return;
    await this.#timeline.step("DNS", async () => {
      const objects = writeDnsFiles(this.#layout, dnsProgram);
      const applied = await this.#kubectl(["apply", "-f", objects, "--request-timeout=30s"]);
      if (applied.status !== 0) throw new ClusterError("COMPONENT_FAILED", `DNS: ${applied.stderr.trim()}`);
      await this.#start(CONTROL_PLANE, DNS);
      const ask = `fetch(${JSON.stringify(DNS_READY)}).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))`;
      await this.#until([this.program(DNS.service)], "is not ready", DNS_PATIENCE_MS, async () => {
        const argv = [process.execPath, "-e", ask];
        return (await runInNetwork(this.#init(CONTROL_PLANE), argv, { allowFailure: true })).status === 0;
      });
    });
  }

  async #untilApiServerReady(): Promise<void> {
    const programs = [this.program(API_SERVER.service), this.program(ETCD.service)] as const;
    await this.#until(programs, "is not ready", API_SERVER_PATIENCE_MS, async () => {
      const { status } = await this.#kubectl(["get", "--raw=/readyz", "--request-timeout=5s"]);
      return status === 0;
    });
  }

  /** The machine, its containerd and the pause image: everything that needs no API server. */
  async #prepareNode(options: NodeOptions): Promise<NodePlan> {
    const { name } = options;
    checkName(name);
    if (this.#machines.has(name) || name === CONTROL_PLANE) {
      throw new ClusterError("BAD_NAME", `the cluster has a machine ${name} already`);
    }
    const index = this.#nodeCount++;
    if (index >= MAXIMUM_NODES)
      throw new ClusterError("BAD_NAME", `at most ${MAXIMUM_NODES} nodes fit the address plan`);
    const address = nodeAddress(index);
    const cgroupRoot = nodeCgroupRoot(this.#options.name, name);
    const dns = this.#options.dnsProgram !== undefined && options.clusterDns !== false;
    const plan: NodePlan = { options, address, podRange: podRange(index), cgroupRoot, dns };
    await writeNodeFiles(this.#layout, plan);
    createCgroupTree(cgroupRoot);
    await this.#startMachine(name, { address, node: options }, plan.podRange);
    if (options.sgx !== undefined) {
      const init = this.#init(name);
      const fixture = sgxFixture(() => init, this.#layout.machine(name).sysfsNode);
      fixture.addDevice("sgx_enclave");
      fixture.addDevice("sgx_provision");
    }
    await this.#timeline.step(`${name}: containerd with the pause image`, async () => {
      const containerd = containerdArguments(name);
      await this.#start(name, containerd);
      await this.#untilContainerdAnswers(name);
      const pause = this.#options.pauseImage;
      await runInMachine(this.#init(name), ["ctr", "-n", "k8s.io", "images", "import", "-"], { inputFile: pause });
    });
    return plan;
  }

  async #joinNode(plan: NodePlan): Promise<void> {
    const { name } = plan.options;
    await this.#timeline.step(`${name}: Ready`, async () => {
      const kubelet = kubeletArguments(plan);
      await this.#start(name, kubelet);
      await this.#start(name, kubeProxyArguments(name));
      await this.#until(
        [this.program(kubelet.service), this.program(`${name}/containerd`)],
        `did not make ${name} Ready`,
        NODE_PATIENCE_MS,
        async () => {
          await this.#startWithoutWatches(kubelet.service);
          const query = "jsonpath={.status.conditions[?(@.type=='Ready')].status}";
          const { stdout } = await this.#kubectl(["get", "node", name, "-o", query, "--request-timeout=5s"]);
          return stdout === "True";
        },
      );
    });
  }

  /**
   * The kernel gives a user a number of inotify instances (fs.inotify.max_user_instances), for all clusters of the machine
   * together. A kubelet that found none left ends; as under systemd it is started again, until another has let go of some.
   */
  async #startWithoutWatches(service: string): Promise<void> {
    const program = this.program(service);
    if (!endedWithoutWatches(program)) return;
    this.#log(`${service} found no inotify instance left (fs.inotify.max_user_instances): it is started again`);
    await sleep(WATCHES_PAUSE_MS);
    if (!this.#ending) await program.start();
  }

  async #untilContainerdAnswers(node: string): Promise<void> {
    const argv = ["ctr", "--connect-timeout", "2s", "version"];
    await this.#until([this.program(`${node}/containerd`)], "does not answer", CONTAINERD_PATIENCE_MS, async () => {
      return (await runInMachine(this.#init(node), argv, { allowFailure: true })).status === 0;
    });
  }

  async #startMachine(name: string, state: Omit<MachineState, "init">, pods?: string): Promise<void> {
    const layout = this.#layout.machine(name);
    for (const directory of [layout.upper, layout.work, layout.root, layout.varLib, layout.sysctls]) {
      mkdirSync(directory, { recursive: true });
    }
    for (const [sysctl, value] of Object.entries(SHADOWED_SYSCTLS)) {
      writeFileSync(join(layout.sysctls, sysctl.replaceAll("/", ".")), `${value}\n`);
    }
    const hosts = [`${NETWORK.controlPlane} ${CONTROL_PLANE}`, `${state.address} ${name}`];
    const script = machineScript({ layout, hostname: name, binaries: this.#options.binaries, hosts });
    const outer = this.#outerInit();
    const init = await startNamespace(this.#script(name, script), outer);
    await connectMachine(outer, init.pid, state.address, pods);
    this.#machines.set(name, { init, state: { ...state, init: init.pid } });
    this.#changed();
  }

  async #start(machine: string, program: ProgramArguments): Promise<void> {
    const { featureGates } = this.#options;
    const gated = featureGates !== undefined && program.program.some((name) => GATED.test(name));
    const supervised = new SupervisedProgram({
      service: program.service,
      argv: [this.#fileOf(program), ...program.args, ...(gated ? [`--feature-gates=${featureGates}`] : [])],
      logFile: this.#layout.log(program.service),
      init: () => this.#init(machine),
      changed: this.#changed,
      log: this.#log,
    });
    this.#programs.set(program.service, supervised);
    await supervised.start();
  }

  /** The program's path as its machine sees it; an absolute one is that already. */
  #fileOf({ program }: ProgramArguments): string {
    const { binaries } = this.#options;
    const name = program.find((name) => name.startsWith("/") || existsSync(join(binaries, name)));
    if (name === undefined) throw new ClusterError("PROGRAM_MISSING", `${binaries} has no ${program.join(" or ")}`);
    return name.startsWith("/") ? name : join(MACHINE_PATHS.binaries, name);
  }

  async #untilDefaultServiceAccount(): Promise<void> {
    const manager = this.program(CONTROLLER_MANAGER.service);
    await this.#until([manager], "made no default service account", API_SERVER_PATIENCE_MS, async () => {
      const { status } = await this.#kubectl([
        "get",
        "serviceaccount",
        "default",
        "-n",
        "default",
        "--request-timeout=5s",
      ]);
      return status === 0;
    });
  }

  /** Asks until the answer is yes; fails when a program that it takes has ended, or when time is up, with the end of the log. */
  async #until(
    programs: readonly [SupervisedProgram, ...SupervisedProgram[]],
    failure: string,
    patienceMs: number,
    ask: () => Promise<boolean>,
  ) {
    const begun = performance.now();
    for (;;) {
      if (await ask()) return;
      if (this.#ending) throw new ClusterError("NOT_RUNNING", "the cluster was taken down meanwhile");
      for (const program of programs) if (program.pid === 0 && !endedWithoutWatches(program)) program.fail("ended");
      if (performance.now() - begun > patienceMs) programs[0].fail(`${failure} after ${patienceMs / 1000} s`);
      await sleep(200);
    }
  }

  #script(name: string, text: string): string {
    mkdirSync(this.#layout.machines, { recursive: true });
    const path = join(this.#layout.machines, `${name}.sh`);
    writeFileSync(path, text);
    return path;
  }

  #kubectl(args: readonly string[]) {
    const argv = [join(this.#options.binaries, "kubectl"), `--kubeconfig=${this.#layout.kubeconfig}`, ...args];
    return runInNetwork(this.#init(CONTROL_PLANE), argv, { allowFailure: true });
  }

  #outerInit(): number {
    if (this.#outer === undefined || this.#ending)
      throw new ClusterError("NOT_RUNNING", "the cluster's namespaces are not there");
    return this.#outer.pid;
  }

  #init(machine: string): number {
    const pid = this.#machines.get(machine)?.init.pid;
    if (pid === undefined) throw new ClusterError("UNKNOWN_NODE", `the cluster has no machine ${machine}`);
    return pid;
  }
}

function endedWithoutWatches(program: SupervisedProgram): boolean {
  return program.pid === 0 && program.service.endsWith("/kubelet") && /too many open files/.test(program.lastWords());
}

export function checkName(name: string): void {
  if (!/^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/.test(name)) {
    throw new ClusterError("BAD_NAME", `"${name}" is no name: lower-case letters, digits and dashes, at most 40`);
  }
}
