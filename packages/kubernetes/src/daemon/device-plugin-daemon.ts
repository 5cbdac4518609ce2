import { join } from "node:path";
import { Alarm } from "../alarm.ts";
import type { Clock } from "../clock.ts";
import type { DaemonLog } from "../daemon-log.ts";
import { type DevicePlugin, startDevicePlugin } from "../device-plugin/device-plugin.ts";
import type { DevicePluginEnd } from "../device-plugin/report.ts";
import { type KubernetesError, messageOf } from "../errors.ts";
import type { PodAllocation } from "../pod-resources/decode-pod-resources.ts";
import type { PodResourcesAnswer } from "../pod-resources/pod-resources-client.ts";
import type { SgxNode } from "../sgx-node/sgx-node.ts";
import { type SgxNodeWatch, watchSgxNode } from "../sgx-node/watch-sgx-node.ts";
import type { PluginState, PluginStatus } from "../status/plugin-status.ts";
import type { Verdict } from "../status/status-server.ts";
import { type DaemonView, pluginMetrics } from "./daemon-metrics.ts";
import { pluginStatus } from "./daemon-status.ts";
import { Happenings } from "./happenings.ts";
import { NodeResources, type NodeResourcesOptions, type Observation } from "./node-resources.ts";

export interface DevicePluginDaemonOptions extends Omit<NodeResourcesOptions, "clock"> {
  readonly version: string;
  /** Name of the node; null where nobody said it. */
  readonly node: string | null;
  /** The kubelet's device-plugin directory. */
  readonly directory: string;
  /** Looks at the node now. */
  readonly probe: () => SgxNode;
  /** How directories of the host are watched, where they can be. */
  readonly watchDirectory?: (path: string, changed: (name: string | undefined) => void) => (() => void) | undefined;
  readonly rescanMs: number;
  /** Asks the kubelet what its containers hold. */
  readonly podResources: { ask(): Promise<PodResourcesAnswer>; close(): void };
  /** Whether somebody listens on a socket. */
  readonly listens: (socketPath: string) => Promise<boolean>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: DaemonLog;
  /** Resident memory of the process, bytes. */
  readonly residentBytes: () => number;
}

/** How a daemon ended: it was told to, or it may not serve this node. */
export type DaemonEnd =
  | { readonly reason: "stopped" }
  | { readonly reason: "refused"; readonly error: KubernetesError };

/** Times in ms. */
const TIMES = {
  /** Between two questions to the kubelet, and at least so many times as long as its last answer took. */
  podResources: 5000,
  podResourcesShare: 20,
  /** A refused plugin goes on telling why, so that its companion can write the event, and then ends. */
  refused: 6000,
  standby: 5000,
};

/** A standby takes the resources back after nobody has listened on their sockets so many times in a row. */
const ABANDONED = 3;

/**
 * The device plugin of one node with all around it: looks at the node, decides what is published, serves it to the
 * kubelet, follows every change, and keeps what it knows for `/status`. One that was replaced by a newer one stands by:
 * if it ended, the kubelet would start its container again, and the two would take the resources from each other for ever.
 */
export class DevicePluginDaemon {
  readonly #options: DevicePluginDaemonOptions;
  readonly #happenings: Happenings;
  readonly #resources: NodeResources;
  readonly #startedAt: number;
  #state: PluginState = "starting";
  #replaced: string | undefined;
  #watch: SgxNodeWatch | undefined;
  #plugin: DevicePlugin | undefined;
  #allocations: readonly PodAllocation[] | undefined;
  #lookedAt: number;
  #work: Promise<void> = Promise.resolve();

  constructor(options: DevicePluginDaemonOptions) {
    this.#options = options;
    this.#happenings = new Happenings(options.clock, options.log);
    this.#resources = new NodeResources(options);
    this.#startedAt = options.clock.now();
    this.#lookedAt = this.#startedAt;
  }

  /** Until the signal aborts or the node is refused. Throws KubernetesError for a contradictory configuration. */
  async run(signal: AbortSignal): Promise<DaemonEnd> {
    const { clock, rescanMs, watchDirectory, podResources } = this.#options;
    const watch = watchSgxNode({
      probe: () => this.#look(),
      changed: (node, before) => this.#soon(() => this.#changed(node, before)),
      clock,
      intervalMs: rescanMs,
      ...(watchDirectory === undefined ? {} : { watchDirectory }),
    });
    this.#watch = watch;
    const ended = new AbortController();
    const lifetime = AbortSignal.any([signal, ended.signal]);
    try {
      const begun = this.#begin(watch.current());
      this.#work = begun.catch(() => {});
      await begun;
      void this.#followAllocations(lifetime);
      return await this.#serve(lifetime);
    } finally {
      ended.abort();
      watch.close();
      podResources.close();
    }
  }

  status(): PluginStatus {
    return pluginStatus(this.#view());
  }

  metrics(): Promise<string> {
    return pluginMetrics(this.#view(), this.#happenings.counts());
  }

  healthy(): Verdict {
    const silent = this.#options.clock.now() - this.#lookedAt;
    const limit = 60_000 + 10 * this.#options.rescanMs;
    return silent > limit ? { ok: false, why: `the node was not looked at for ${silent} ms` } : { ok: true, why: "ok" };
  }

  ready(): Verdict {
    if (this.#state === "idle") return { ok: true, why: "idle: this node has no usable SGX" };
    if (this.#state === "standby") return { ok: true, why: `standing by: ${this.#replaced}` };
    const [problem] = this.#happenings.problems.list();
    if (this.#state !== "serving") return { ok: false, why: problem?.message ?? this.#state };
    const waiting = (this.#plugin?.resources() ?? []).filter(
      ({ listAndWatchOpen, phase }) => !listAndWatchOpen && phase !== "replaced",
    );
    if (waiting.length === 0) return { ok: true, why: "every resource is registered and read by the kubelet" };
    return {
      ok: false,
      why: `not yet read by the kubelet: ${waiting.map(({ resourceName }) => resourceName).join(", ")}`,
    };
  }

  #view(): DaemonView {
    const { version, node, clock, residentBytes, resourceNames, mode } = this.#options;
    return {
      version,
      node,
      now: clock.now(),
      startedAt: this.#startedAt,
      state: this.#state,
      replaced: this.#replaced,
      sgx: this.#watch?.current(),
      resourceNames,
      requestedMode: mode,
      choice: this.#resources.choice,
      epc: this.#resources.epcState(),
      resources: this.#plugin?.resources() ?? [],
      allocations: this.#allocations,
      // Who stands by, or is refused, has no say in what the node shows.
      counters: this.#state === "serving" ? this.#resources.counters : [],
      problems: this.#happenings.problems.list(),
      events: this.#happenings.events.list(),
      residentBytes: residentBytes(),
    };
  }

  #look(): SgxNode {
    this.#lookedAt = this.#options.clock.now();
    return this.#options.probe();
  }

  /** One after the other: a change that comes while another is carried out waits. */
  #soon(step: () => Promise<void>): void {
    this.#work = this.#work.then(step).catch((error: unknown) => {
      const code = (error as { code?: unknown }).code;
      this.#options.log.error({ code }, `a change of the node failed: ${messageOf(error)}`);
    });
  }

  async #begin(node: SgxNode): Promise<void> {
    this.#resources.update(node, await this.#observe());
    this.#settle(node);
    if (node.capable) this.#happenings.tell("Normal", "SgxFound", describeNode(node));
    else this.#options.log.info({ problems: node.problems }, "this node has no usable SGX: nothing is published");
    this.#tellPublishing(undefined);
  }

  async #changed(node: SgxNode, before: SgxNode): Promise<void> {
    const mode = this.#resources.choice?.mode;
    // Whatever is held has to stay in the list: what the kubelet says must not be older than the change.
    this.#resources.update(node, await this.#observe());
    this.#settle(node);
    if (node.capable && !before.capable) this.#happenings.tell("Normal", "SgxFound", describeNode(node));
    else if (!node.capable && before.capable) this.#happenings.tell("Warning", "SgxLost", describeLoss(node));
    else if (node.epc.totalMiB !== before.epc.totalMiB) {
      const change = `EPC of this node changed from ${before.epc.totalMiB} to ${node.epc.totalMiB} MiB`;
      this.#happenings.tell(node.epc.totalMiB < before.epc.totalMiB ? "Warning" : "Normal", "EpcChanged", change);
    }
    this.#tellPublishing(mode);
    await this.#plugin?.setResources(this.#resources.list());
  }

  /** Problems and state follow the node. */
  #settle(node: SgxNode): void {
    const { choice } = this.#resources;
    const offering = this.#resources.list().length > 0;
    // On a node that has no SGX at all this is the state of things, not a problem of anybody's.
    this.#happenings.found("node", offering || node.devices.generation !== null ? node.problems : []);
    this.#happenings.found("publishing", choice?.problem === undefined ? [] : [choice.problem]);
    this.#settleEpc();
    if (this.#state === "starting" || this.#state === "idle" || this.#state === "serving") {
      this.#state = offering ? "serving" : "idle";
    }
  }

  #settleEpc(): void {
    const problem = this.#resources.epcState()?.problem;
    this.#happenings.found("epc", problem === undefined ? [] : [problem]);
  }

  #tellPublishing(before: string | undefined): void {
    const { choice } = this.#resources;
    if (choice === undefined || choice.mode === before) return;
    this.#happenings.tell("Normal", "EpcPublishing", `EPC is published as ${choice.mode}: ${choice.why}`);
    for (const warning of choice.warnings) this.#happenings.tell("Warning", "EpcPublishing", warning);
    if (this.#options.provisionWithEpc) {
      const warning =
        "--provision-with-epc: every container with EPC or an enclave slot is also given the provisioning device";
      this.#happenings.tell("Warning", "ProvisionWithEpc", warning);
    }
  }

  async #observe(): Promise<Observation> {
    const at = this.#options.clock.now();
    const answer = await this.#options.podResources.ask();
    if (answer.reached) {
      this.#allocations = answer.allocations;
      this.#happenings.observed(undefined);
      return { allocations: answer.allocations, at };
    }
    this.#happenings.observed(answer.error);
    return { allocations: undefined, at };
  }

  async #followAllocations(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const alarm = new Alarm(clock);
    let took = 0;
    while (!signal.aborted) {
      await alarm.wait(Math.max(TIMES.podResources, took * TIMES.podResourcesShare), signal);
      if (signal.aborted || this.#state !== "serving") continue;
      const begun = clock.now();
      this.#soon(async () => {
        const node = this.#watch?.current();
        if (node !== undefined) this.#resources.observe(node, await this.#observe());
        this.#settleEpc();
      });
      await this.#work;
      took = clock.now() - begun;
    }
  }

  /** Serves, and stands by while a newer plugin does, until the end. */
  async #serve(signal: AbortSignal): Promise<DaemonEnd> {
    const { directory, clock, random } = this.#options;
    for (;;) {
      const plugin = await startDevicePlugin({
        resources: this.#resources.list(),
        directory,
        clock,
        random,
        report: this.#happenings.report(),
        signal,
      });
      this.#plugin = plugin;
      // What changed while it started.
      this.#soon(() => plugin.setResources(this.#resources.list()));
      const end = await plugin.ended;
      if (end.reason === "stopped" || signal.aborted) return { reason: "stopped" };
      if (end.reason === "foreign") return this.#refused(end, signal);
      if (!(await this.#standBy(signal))) return { reason: "stopped" };
    }
  }

  async #refused(end: DevicePluginEnd & { reason: "foreign" }, signal: AbortSignal): Promise<DaemonEnd> {
    this.#state = "refused";
    await new Alarm(this.#options.clock).wait(TIMES.refused, signal);
    return { reason: "refused", error: end.error };
  }

  /** Answers whether the newer plugin has gone: false when this one was told to stop. */
  async #standBy(signal: AbortSignal): Promise<boolean> {
    const { clock, directory, listens, log } = this.#options;
    const alarm = new Alarm(clock);
    this.#state = "standby";
    this.#replaced = `a newer device plugin took the resources over at ${new Date(clock.now()).toISOString()}`;
    log.warn({}, this.#replaced);
    for (let abandoned = 0; abandoned < ABANDONED; ) {
      await alarm.wait(TIMES.standby, signal);
      if (signal.aborted) return false;
      const paths = this.#resources.list().map(({ endpoint }) => join(directory, endpoint));
      const kubelet = await listens(join(directory, "kubelet.sock"));
      const taken = await Promise.all(paths.map(listens));
      // While the kubelet starts again, nobody's sockets are there.
      abandoned = kubelet && !taken.includes(true) ? abandoned + 1 : 0;
    }
    this.#replaced = undefined;
    this.#state = "serving";
    this.#happenings.tell("Warning", "DevicePluginResumed", "the newer device plugin is gone: this one serves again");
    return true;
  }
}

function describeNode({ devices, epc }: SgxNode): string {
  const names = [devices.enclave, devices.provision].flatMap((device) => (device === undefined ? [] : device.hostPath));
  return `SGX found: ${names.join(" and ")} (${devices.generation} driver), ${epc.totalMiB} MiB of EPC by ${epc.source}`;
}

function describeLoss({ problems }: SgxNode): string {
  const why = problems.map(({ message }) => message).join("; ");
  return `SGX is gone: ${why === "" ? "there is no EPC" : why}`;
}
