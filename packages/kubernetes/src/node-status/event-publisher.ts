import type { ApiClient } from "../api/api-client.ts";
import { ApiError } from "../api/api-error.ts";
import type { Clock } from "../clock.ts";
import { EVENT_COMPONENT } from "../names.ts";
import type { PluginStatus, StatusEvent } from "../status/plugin-status.ts";
import { TokenBucket } from "./token-bucket.ts";

export interface EventPublisherOptions {
  readonly api: ApiClient;
  readonly clock: Clock;
  readonly node: string;
  /** Where events about nodes live. */
  readonly namespace: string;
}

/** Events that nobody could be told of in this time are history, ms: the API server itself keeps events for an hour. */
const EVENT_LIFE = 3_600_000;

/** At once, and then one in this many ms. */
const BURST = 25;
const REFILL_MS = 20_000;

const QUEUE_LIMIT = 256;

/** One Event object of the cluster: equal events of an hour are one, with a count. */
interface Published {
  readonly name: string;
  readonly firstTime: string;
  readonly key: string;
  count: number;
  lastMs: number;
}

interface Pending {
  readonly event: StatusEvent;
  readonly run: string;
}

/** Tells the cluster what the plugin's status says has happened, as Events about the node. */
export class EventPublisher {
  readonly #options: EventPublisherOptions;
  readonly #bucket: TokenBucket;
  readonly #queue: Pending[] = [];
  readonly #published = new Map<string, Published>();
  /** The plugin's run whose events were taken, and how far. */
  #run = "";
  #sequence = 0;
  #sent = 0;
  #dropped = 0;

  constructor(options: EventPublisherOptions) {
    this.#options = options;
    this.#bucket = new TokenBucket(options.clock, { size: BURST, refillMs: REFILL_MS });
  }

  /** Takes the events that have not been taken yet. Answers whether there were any. */
  offer(status: PluginStatus): boolean {
    const before = this.#sequence;
    if (status.startedAt !== this.#run) {
      this.#run = status.startedAt;
      this.#sequence = 0;
    }
    for (const event of status.events) {
      if (event.sequence <= this.#sequence) continue;
      this.#sequence = event.sequence;
      this.#queue.push({ event, run: status.startedAt });
    }
    while (this.#queue.length > QUEUE_LIMIT) this.#drop();
    return this.#sequence !== before;
  }

  figures(): { readonly sequence: number; readonly sent: number; readonly dropped: number; readonly pending: number } {
    return { sequence: this.#sequence, sent: this.#sent, dropped: this.#dropped, pending: this.#queue.length };
  }

  /** Sends as many as may be sent now. Throws ApiError when the API server cannot be told; what was not sent stays queued. */
  async publish(signal: AbortSignal): Promise<void> {
    this.#forget();
    for (;;) {
      const next = this.#queue[0];
      if (next === undefined || !this.#bucket.take()) return;
      try {
        await this.#send(next, signal);
        this.#sent++;
        this.#queue.shift();
      } catch (error) {
        // Not this event's fault, or perhaps never to be accepted: only the first is worth another try.
        if (!(error instanceof ApiError) || error.code !== "API_SERVER_REFUSED") throw error;
        this.#drop();
      }
    }
  }

  async #send({ event, run }: Pending, signal: AbortSignal): Promise<void> {
    const key = `${event.type} ${event.reason} ${event.message}`;
    const known = this.#published.get(key);
    if (known !== undefined && (await this.#repeat(known, event, signal))) return;
    const name = eventName(this.#options.node, run, event.sequence);
    await this.#create(name, event, signal);
    this.#published.set(key, { name, firstTime: event.time, key, count: 1, lastMs: this.#options.clock.now() });
  }

  /** False where the event has been forgotten by the API server. */
  async #repeat(known: Published, event: StatusEvent, signal: AbortSignal): Promise<boolean> {
    const change = { count: known.count + 1, lastTimestamp: seconds(event.time) };
    try {
      await this.#options.api.mergePatch(`${this.#path()}/${known.name}`, change, signal);
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return false;
      throw error;
    }
    known.count++;
    known.lastMs = this.#options.clock.now();
    return true;
  }

  async #create(name: string, event: StatusEvent, signal: AbortSignal): Promise<void> {
    const { node, namespace } = this.#options;
    const body = {
      apiVersion: "v1",
      kind: "Event",
      metadata: { name, namespace },
      // As the kubelet refers to its node: `kubectl describe node` looks for exactly this.
      involvedObject: { kind: "Node", name: node, uid: node },
      reason: event.reason,
      message: event.message,
      type: event.type,
      count: 1,
      firstTimestamp: seconds(event.time),
      lastTimestamp: seconds(event.time),
      source: { component: EVENT_COMPONENT, host: node },
      reportingComponent: EVENT_COMPONENT,
      reportingInstance: node,
    };
    try {
      await this.#options.api.create(this.#path(), body, signal);
    } catch (error) {
      // An earlier process of ours has sent this one: names are made of the plugin's start and the event's number.
      if (!(error instanceof ApiError && error.status === 409)) throw error;
    }
  }

  #path(): string {
    return `/api/v1/namespaces/${encodeURIComponent(this.#options.namespace)}/events`;
  }

  #drop(): void {
    this.#queue.shift();
    this.#dropped++;
  }

  #forget(): void {
    const oldest = this.#options.clock.now() - EVENT_LIFE;
    for (const { key, lastMs } of this.#published.values()) if (lastMs < oldest) this.#published.delete(key);
    while (this.#queue[0] !== undefined && Date.parse(this.#queue[0].event.time) < oldest) this.#drop();
  }
}

/** `metav1.Time` has whole seconds. */
const seconds = (time: string) => `${new Date(time).toISOString().slice(0, 19)}Z`;

/** The same event of the same run has the same name, whoever sends it. */
function eventName(node: string, run: string, sequence: number): string {
  const start = Date.parse(run).toString(16);
  return `${node.slice(0, 200).replace(/[^a-z0-9]+$/, "")}.confcom-${start}-${sequence}`;
}
