import { join } from "node:path";
import type { Clock } from "../clock.ts";
import { KubernetesError } from "../errors.ts";
import { DEVICE_PLUGIN_SERVICE } from "./api/services.ts";
import { AwaitedCall, NEVER_CALLED_MS } from "./awaited-call.ts";
import { Backoff } from "./backoff.ts";
import { EndpointServer } from "./endpoint-server.ts";
import type { ForeignPlugin } from "./foreign-plugin.ts";
import { kubeletSocketIdentity } from "./kubelet-directory.ts";
import { KUBELET_MESSAGE_LIMIT } from "./list-encoding.ts";
import { ListPublisher, type ListStream } from "./list-publisher.ts";
import { NewcomerWatch } from "./newcomer-watch.ts";
import { pluginService } from "./plugin-service.ts";
import { meetPredecessor } from "./predecessor.ts";
import type { PublishedResource } from "./published-resource.ts";
import { register } from "./registration.ts";
import type { DevicePluginReport, ResourceState } from "./report.ts";

/** A stream that lived this long was a good one: what ended it was not the list. */
const LASTING_MS = 10_000;

export interface ResourceServerOptions {
  readonly resource: PublishedResource;
  readonly directory: string;
  readonly kubeletSocket: string;
  /** File names in the directory that are no foreign plugin's socket. */
  readonly ownSockets: readonly string[];
  readonly clock: Clock;
  readonly random: () => number;
  readonly report: DevicePluginReport;
  /** Called once, when the resource was left to somebody else. */
  readonly left: (how: { reason: "replaced" } | { reason: "foreign"; error: KubernetesError; socket: string }) => void;
}

/**
 * One resource of a device plugin: its socket, its registration and the kubelet's streams, kept up over kubelet restarts
 * (spec: Kubernetes §1.3). Whatever happened, `wake` looks at the whole situation again; looks never overlap.
 */
export class ResourceServer {
  readonly resource: PublishedResource;
  readonly #options: ResourceServerOptions;
  readonly #publisher: ListPublisher;
  readonly #newcomers: NewcomerWatch;
  readonly #awaitedCall: AwaitedCall;
  readonly #backoff: Backoff;
  readonly #unsubscribe: () => void;
  readonly #ending = new AbortController();
  #phase: ResourceState["phase"] = "starting";
  #serving: EndpointServer | undefined;
  /** The kubelet's socket that the last registration was, or is, made with. */
  #kubelet: string | undefined;
  /** When to register, in the clock's milliseconds; absent while registered. */
  #due: number | undefined;
  #timer: unknown;
  /** Registrations tried; streams remember during which one they were opened. */
  #attempt = 0;
  #lastOpened = 0;
  /** Open streams that were opened since the last registration: more than the kubelet's if somebody looks on. */
  #openOfAttempt = 0;
  #generation = 0;
  #registeredAt: number | undefined;
  #lastError: KubernetesError | undefined;
  #working: Promise<void> | undefined;
  #again = false;
  #refreshing = false;

  constructor(options: ResourceServerOptions) {
    this.#options = options;
    this.resource = options.resource;
    const { directory, ownSockets, clock } = options;
    this.#newcomers = new NewcomerWatch({
      directory,
      resourceName: options.resource.resourceName,
      ownSockets,
      clock,
    });
    this.#awaitedCall = new AwaitedCall(clock, {
      late: () => this.#registerAgain(),
      never: () => this.#neverCalled(),
    });
    this.#backoff = new Backoff(options.random);
    this.#publisher = new ListPublisher(options.resource);
    this.#reportTooLarge();
    this.#unsubscribe = options.resource.subscribe(() => this.#refreshSoon());
  }

  state(): ResourceState {
    return {
      resourceName: this.resource.resourceName,
      endpoint: this.resource.endpoint,
      phase: this.#phase,
      total: this.#publisher.total,
      healthy: this.#publisher.healthy,
      encodedBytes: this.#publisher.encoded?.length ?? 0,
      registeredAt: this.#registeredAt,
      listAndWatchOpen: this.#publisher.open > 0,
      generation: this.#generation,
      lastError: this.#publisher.tooLarge?.error ?? this.#lastError,
    };
  }

  /** Looks at sockets and registration and does what is due. Resolves when that look is over. */
  wake(): Promise<void> {
    if (this.#working !== undefined) {
      this.#again = true;
      return this.#working;
    }
    this.#working = this.#work().finally(() => {
      this.#working = undefined;
    });
    return this.#working;
  }

  /** Stops serving: own socket out of the directory, streams ended, calls answered. */
  async close(): Promise<void> {
    this.#end("stopped");
    await this.#working;
    await this.#closeServing();
  }

  async #work(): Promise<void> {
    do {
      this.#again = false;
      try {
        await this.#look();
      } catch (error) {
        this.#failed(new KubernetesError("DEVICE_PLUGIN_INTERNAL", String(error), { cause: error }));
      }
    } while (this.#again);
  }

  async #look(): Promise<void> {
    // In this order: a starting kubelet deletes sockets before it makes its own. Whoever sees that one first, and the plugin's after it, can
    // register; the other way round the kubelet might dial a socket that it has just deleted, and be waited for until it gives up.
    const kubelet = await kubeletSocketIdentity(this.#options.kubeletSocket);
    if (this.#ended || !(await this.#serve())) return;
    if (kubelet !== undefined && kubelet !== this.#kubelet) {
      this.#backoff.reset();
      this.#due = this.#options.clock.now();
    }
    if (this.#phase === "registered" && !this.#ended && (await this.#takenByNewcomer())) return;
    if (this.#ended || this.#due === undefined || this.#publisher.encoded === undefined) return;
    if (this.#due <= this.#options.clock.now()) await this.#register(kubelet);
    else this.#schedule();
  }

  /** Whether the endpoint is this plugin's, after making it so if nobody has it. */
  async #serve(): Promise<boolean> {
    const owner = (await this.#serving?.owner()) ?? "nobody";
    if (owner === "ours") return true;
    if (owner === "another") {
      this.#options.report.replaced({ ...name(this.resource), endpoint: this.resource.endpoint });
      await this.#leave("replaced");
      this.#options.left({ reason: "replaced" });
      return false;
    }
    if (this.#serving === undefined && this.#due !== undefined && this.#due > this.#options.clock.now()) {
      this.#schedule();
      return false;
    }
    await this.#closeServing();
    const server = new EndpointServer();
    const { resource, directory, clock, report, random } = this.#options;
    const listAndWatch = (stream: ListStream): void => this.#opened(stream, server);
    server.addService(
      DEVICE_PLUGIN_SERVICE,
      pluginService({ resource, clock, report, signal: this.#ending.signal, listAndWatch }),
    );
    try {
      const predecessor = await meetPredecessor(join(directory, resource.endpoint), clock);
      await server.bind(directory, resource.endpoint, random);
      this.#serving = server;
      await predecessor?.left();
      this.#due = clock.now();
      return true;
    } catch (error) {
      server.forceShutdown();
      this.#failed(error as KubernetesError);
      return false;
    }
  }

  async #register(kubelet: string | undefined): Promise<void> {
    const { resource, kubeletSocket, clock, report } = this.#options;
    if (kubelet !== this.#kubelet || this.#generation === 0) {
      const foreign = await this.#newcomers.find();
      if (foreign !== undefined) return this.#refuse(foreign);
    }
    this.#kubelet = kubelet;
    this.#attempt += 1;
    const attempt = this.#attempt;
    this.#due = undefined;
    try {
      await register({ kubeletSocket, resource, clock, signal: this.#ending.signal });
    } catch (error) {
      if (!this.#ended) this.#failed(error as KubernetesError);
      return;
    }
    if (this.#ended) return;
    this.#phase = "registered";
    this.#generation += 1;
    this.#registeredAt = clock.now();
    // An accepted registration that is not followed by a call is not yet the all-clear.
    if (this.#lastError?.code !== "KUBELET_NEVER_CALLED") this.#lastError = undefined;
    report.registered({ ...name(resource), endpoint: resource.endpoint, generation: this.#generation });
    if (this.#lastOpened < attempt) this.#awaitedCall.expect();
  }

  /**
   * Streams are counted by the registration during which they were opened: the kubelet may call back before it answers. The first one is
   * the kubelet's, unless somebody looks on who was quicker: so the end of the first and the end of the last both mean that it has gone.
   */
  #opened(stream: ListStream, server: EndpointServer): void {
    const { clock, report, resource } = this.#options;
    const openedIn = this.#attempt;
    const openedAt = clock.now();
    const first = this.#lastOpened !== openedIn;
    if (first) this.#openOfAttempt = 0;
    this.#lastOpened = openedIn;
    this.#openOfAttempt += 1;
    this.#awaitedCall.settle();
    if (this.#lastError?.code === "KUBELET_NEVER_CALLED") this.#lastError = undefined;
    this.#publisher.add(stream, () => {
      report.listAndWatchClosed({ ...name(resource), stillOpen: this.#publisher.open });
      if (openedIn === this.#lastOpened) this.#openOfAttempt -= 1;
      // A binding that was ended from this side says nothing about the kubelet.
      if (this.#ended || this.#serving !== server) return;
      if (clock.now() - openedAt >= LASTING_MS) this.#backoff.reset();
      if (openedIn === this.#attempt && (first || this.#openOfAttempt === 0)) this.#registerAgain();
    });
    report.listAndWatchOpened({
      ...name(resource),
      devices: this.#publisher.total,
      encodedBytes: this.#publisher.encoded?.length ?? 0,
    });
  }

  /**
   * The kubelet dropped the stream of the last registration. It does so when it stops, and also when the stream of a plugin that served
   * the resource before ends: then it holds the resource for dead until it is registered once more, which is why the first try is at once.
   */
  #registerAgain(): void {
    if (this.#due !== undefined) return;
    const first = this.#backoff.attempts === 0;
    const wait = this.#backoff.next();
    this.#due = this.#options.clock.now() + (first ? 0 : wait);
    this.#schedule();
  }

  #neverCalled(): void {
    const { resource, report } = this.#options;
    const message = `${resource.resourceName}: registered ${NEVER_CALLED_MS / 1000} s ago, and the kubelet has not asked for the devices`;
    const error = new KubernetesError("KUBELET_NEVER_CALLED", message);
    this.#lastError = error;
    report.neverCalled({ ...name(resource), error, afterMs: NEVER_CALLED_MS });
  }

  #failed(error: KubernetesError): void {
    this.#lastError = error;
    const retryInMs = this.#backoff.next();
    this.#due = this.#options.clock.now() + retryInMs;
    this.#options.report.registrationFailed({
      ...name(this.resource),
      error,
      attempt: this.#backoff.attempts,
      retryInMs,
    });
    this.#schedule();
  }

  #schedule(): void {
    const { clock } = this.#options;
    if (this.#timer !== undefined) clock.clearTimeout(this.#timer);
    if (this.#ended || this.#due === undefined) return;
    this.#timer = clock.setTimeout(
      () => {
        this.#timer = undefined;
        void this.wake();
      },
      Math.max(0, this.#due - clock.now()),
    );
  }

  /** A plugin that came later and registered the same resource: the kubelet listens to it now, and to two plugins from then on. */
  async #takenByNewcomer(): Promise<boolean> {
    const foreign = await this.#newcomers.findNewcomer();
    if (foreign === undefined) return false;
    await this.#refuse(foreign);
    return true;
  }

  async #refuse({ socket, ids }: ForeignPlugin): Promise<void> {
    const { report, left, resource } = this.#options;
    const message = `${resource.resourceName} is served by another device plugin at ${socket}, with devices such as ${JSON.stringify(ids[0])}`;
    const error = new KubernetesError("FOREIGN_DEVICE_PLUGIN", message);
    this.#lastError = error;
    report.foreign({ ...name(resource), error, socket, ids });
    await this.#leave("foreign");
    left({ reason: "foreign", error, socket });
  }

  async #leave(how: "replaced" | "foreign"): Promise<void> {
    this.#end(how);
    await this.#closeServing();
  }

  get #ended(): boolean {
    return this.#ending.signal.aborted;
  }

  #end(phase: "stopped" | "replaced" | "foreign"): void {
    if (this.#ended) return;
    this.#phase = phase;
    this.#ending.abort(new KubernetesError("PRE_START_TIMEOUT", "the device plugin is ending"));
    this.#unsubscribe();
    this.#awaitedCall.settle();
    if (this.#timer !== undefined) this.#options.clock.clearTimeout(this.#timer);
  }

  async #closeServing(): Promise<void> {
    const serving = this.#serving;
    if (serving === undefined) return;
    this.#serving = undefined;
    await serving.removeSocket();
    this.#publisher.endAll();
    await serving.shutDown(this.#options.clock);
  }

  /** Several changes in one turn are one message. */
  #refreshSoon(): void {
    if (this.#refreshing) return;
    this.#refreshing = true;
    queueMicrotask(() => {
      this.#refreshing = false;
      if (this.#ended) return;
      const first = this.#publisher.encoded === undefined;
      this.#publisher.refresh();
      this.#reportTooLarge();
      if (first && this.#publisher.encoded !== undefined) void this.wake();
    });
  }

  #reportTooLarge(): void {
    const { tooLarge } = this.#publisher;
    if (tooLarge === undefined) return;
    this.#options.report.tooLarge({ ...name(this.resource), ...tooLarge, limitBytes: KUBELET_MESSAGE_LIMIT });
  }
}

function name(resource: PublishedResource): { resourceName: string } {
  return { resourceName: resource.resourceName };
}
