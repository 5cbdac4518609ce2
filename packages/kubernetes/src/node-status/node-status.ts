import { Alarm } from "../alarm.ts";
import type { ApiClient } from "../api/api-client.ts";
import { ApiError } from "../api/api-error.ts";
import { API_PROBLEMS } from "../api/api-problems.ts";
import { boundedRequest } from "../api/bounded-request.ts";
import { pause } from "../api/pause.ts";
import type { Clock } from "../clock.ts";
import type { DaemonLog } from "../daemon-log.ts";
import { KubernetesError, type KubernetesErrorCode } from "../errors.ts";
import { decodePluginStatus } from "../status/decode-plugin-status.ts";
import { PLUGIN_STATUS_SIZE_LIMIT, type PluginStatus } from "../status/plugin-status.ts";
import { ReportedProblems } from "../status/reported-problems.ts";
import { EventPublisher } from "./event-publisher.ts";
import { LabelHysteresis } from "./label-hysteresis.ts";
import { type WantedNode, wantedNode } from "./node-patch.ts";
import { NodeWriter } from "./node-writer.ts";

export interface NodeStatusOptions {
  readonly node: string;
  /** Where the plugin of the same pod answers `/status`. */
  readonly plugin: URL;
  readonly api: ApiClient;
  /** Where events about nodes are written. */
  readonly eventNamespace: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: DaemonLog;
}

/** Times in ms. `regular`: how often the node is read. */
const TIMES = { pollPlugin: 2000, pluginTimeout: 5000, regular: 10_000, firstRetry: 1000, longestRetry: 20_000 };

const PROBLEMS: readonly KubernetesErrorCode[] = ["API_SERVER_NO_NODE", ...API_PROBLEMS];

/**
 * Writes what the device plugin of the same pod says into the cluster: labels and counters of the node's status, and
 * events about it. Neither the plugin nor the API server has to be there: what could not be written is written later.
 */
export class NodeStatus {
  readonly #options: NodeStatusOptions;
  readonly #problems: ReportedProblems;
  readonly #writer: NodeWriter;
  readonly #events: EventPublisher;
  readonly #labels: LabelHysteresis;
  readonly #alarm: Alarm;
  #plugin: PluginStatus | undefined;
  #wanted: WantedNode | undefined;
  #pluginReadAt: number | undefined;
  #pollStartedAt: number;
  #syncedAt: number | undefined;
  #failures = 0;

  constructor(options: NodeStatusOptions) {
    const { api, clock, node, log } = options;
    this.#options = options;
    this.#problems = new ReportedProblems(clock, log);
    this.#writer = new NodeWriter({ api, clock, node, log });
    this.#events = new EventPublisher({ api, clock, node, namespace: options.eventNamespace });
    this.#labels = new LabelHysteresis(clock);
    this.#alarm = new Alarm(clock);
    this.#pollStartedAt = clock.now();
  }

  /** Until the signal aborts; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#follow(signal), this.#write(signal)]);
  }

  get pluginStatus(): PluginStatus | undefined {
    return this.#plugin;
  }

  report() {
    const time = (at: number | undefined) => (at === undefined ? null : new Date(at).toISOString());
    const { shown, writes } = this.#writer;
    return {
      plugin: {
        url: this.#options.plugin.href,
        state: this.#plugin?.state ?? null,
        readAt: time(this.#pluginReadAt),
      },
      syncedAt: time(this.#syncedAt),
      wanted: this.#wanted === undefined ? null : { labels: this.#wanted.labels, counters: this.#wanted.counters },
      resourceVersion: shown?.resourceVersion ?? null,
      writes,
      events: this.#events.figures(),
      problems: this.#problems.list(),
    };
  }

  /** Whether the loops are alive, and whether the node has ever shown what the plugin says. */
  healthy(): { ok: boolean; why: string } {
    const silent = this.#options.clock.now() - this.#pollStartedAt;
    return silent > 60_000 ? { ok: false, why: `nothing done for ${silent} ms` } : { ok: true, why: "ok" };
  }

  ready(): { ok: boolean; why: string } {
    const [problem] = this.#problems.list();
    if (this.#syncedAt !== undefined) return { ok: true, why: "the node shows what the plugin says" };
    return { ok: false, why: problem?.message ?? "the plugin has not said anything about the node yet" };
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const alarm = new Alarm(this.#options.clock);
    while (!signal.aborted) {
      await this.#pollPlugin(signal);
      await alarm.wait(TIMES.pollPlugin, signal);
    }
  }

  async #pollPlugin(signal: AbortSignal): Promise<void> {
    this.#pollStartedAt = this.#options.clock.now();
    try {
      this.#take(await this.#readPlugin(signal));
    } catch (error) {
      if (signal.aborted || !(error instanceof KubernetesError)) return;
      this.#problems.report(error);
      return;
    }
    this.#problems.solved("PLUGIN_UNREACHABLE");
    this.#problems.solved("PLUGIN_STATUS_MALFORMED");
  }

  async #readPlugin(signal: AbortSignal): Promise<PluginStatus> {
    const { plugin } = this.#options;
    const limits = { timeoutMs: TIMES.pluginTimeout, sizeLimit: PLUGIN_STATUS_SIZE_LIMIT };
    const response = await boundedRequest({ url: plugin, method: "GET", ...limits, signal }).catch((cause: Error) => {
      throw new KubernetesError("PLUGIN_UNREACHABLE", `the device plugin at ${plugin.host}: ${cause.message}`, {
        cause,
      });
    });
    if (response.status !== 200) {
      throw new KubernetesError(
        "PLUGIN_UNREACHABLE",
        `the device plugin at ${plugin.host} answered ${response.status}`,
      );
    }
    return decodePluginStatus(response.body);
  }

  #take(status: PluginStatus): void {
    const before = JSON.stringify(this.#wanted);
    this.#plugin = status;
    this.#pluginReadAt = this.#options.clock.now();
    const happened = this.#events.offer(status);
    const wanted = wantedNode(status);
    this.#wanted = wanted === undefined ? undefined : this.#labels.apply(wanted);
    if (JSON.stringify(this.#wanted) !== before || happened) this.#alarm.ring();
  }

  async #write(signal: AbortSignal): Promise<void> {
    const { random } = this.#options;
    await this.#alarm.wait(TIMES.regular, signal);
    while (!signal.aborted) {
      const retryAfterMs = await this.#sync(signal);
      const failed = this.#failures > 0;
      // An overloaded API server is left alone for as long as it asks, whatever happens here.
      await this.#alarm.wait(Math.max(pause(this.#failures, TIMES, random), retryAfterMs), signal, { deaf: failed });
    }
  }

  /** Answers how long the API server wants to be left alone, ms. */
  async #sync(signal: AbortSignal): Promise<number> {
    let retryAfterMs = 0;
    let failure: ApiError | undefined;
    for (const step of [() => this.#writeNode(signal), () => this.#events.publish(signal)]) {
      try {
        await step();
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        failure ??= error;
        retryAfterMs = Math.max(retryAfterMs, error.retryAfterMs ?? 0);
        if (error.status === 0 || error.status === 429) break;
      }
    }
    if (signal.aborted) return 0;
    this.#failures = failure === undefined ? 0 : this.#failures + 1;
    this.#problems.settle(PROBLEMS, failure === undefined ? [] : [failure]);
    return retryAfterMs;
  }

  async #writeNode(signal: AbortSignal): Promise<void> {
    if (this.#wanted === undefined) return;
    await this.#writer.write(this.#wanted, signal);
    this.#syncedAt = this.#options.clock.now();
    const contested = this.#writer.contested();
    if (contested.length === 0) this.#problems.solved("COUNTER_CONTESTED");
    else {
      const names = contested.join(", ");
      this.#problems.report(
        new KubernetesError("COUNTER_CONTESTED", `somebody else keeps changing ${names} on this node`),
      );
    }
  }
}
