import { basename, join } from "node:path";
import type { Clock } from "../clock.ts";
import { KubeletDirectory } from "./kubelet-directory.ts";
import type { PublishedResource } from "./published-resource.ts";
import type { DevicePluginEnd, DevicePluginReport, ResourceState } from "./report.ts";
import { ResourceServer } from "./resource-server.ts";

export interface DevicePluginOptions {
  readonly resources: readonly PublishedResource[];
  /** The kubelet's device-plugin directory. */
  readonly directory: string;
  /** `kubelet.sock` in that directory unless said otherwise. */
  readonly kubeletSocket?: string;
  readonly clock: Clock;
  /** At least 0 and below 1. */
  readonly random: () => number;
  readonly report: DevicePluginReport;
  /** Ends the plugin, as `close` does. */
  readonly signal: AbortSignal;
}

/** The device plugin of one node: a socket and a registration for each resource. */
export interface DevicePlugin {
  resources(): readonly ResourceState[];
  /** What is to be served from now on. Resources that were there stay as they are; a resource that was left to another plugin is not taken back. */
  setResources(resources: readonly PublishedResource[]): Promise<void>;
  /** Resolves when the plugin has ended, whoever ended it; its sockets are gone then. */
  readonly ended: Promise<DevicePluginEnd>;
  /** Stops accepting, ends the kubelet's streams, removes the plugin's own sockets. May be called twice. */
  close(): Promise<void>;
}

/**
 * Serves `resources` to the kubelet until closed (spec: Kubernetes §1). What is not possible yet (no directory, no kubelet) is tried again for
 * as long as the plugin lives, and reported.
 */
export async function startDevicePlugin(options: DevicePluginOptions): Promise<DevicePlugin> {
  const plugin = new RunningDevicePlugin(options);
  await plugin.setResources(options.resources);
  return plugin;
}

class RunningDevicePlugin implements DevicePlugin {
  readonly ended: Promise<DevicePluginEnd>;
  readonly #options: DevicePluginOptions;
  readonly #kubeletSocket: string;
  readonly #servers = new Map<string, ResourceServer>();
  readonly #ownSockets: string[];
  readonly #leftToOthers = new Set<string>();
  readonly #watch: KubeletDirectory;
  #changes: Promise<void> = Promise.resolve();
  #resolveEnded: (end: DevicePluginEnd) => void = () => undefined;
  #closing: Promise<void> | undefined;

  constructor(options: DevicePluginOptions) {
    this.#options = options;
    this.#kubeletSocket = options.kubeletSocket ?? join(options.directory, "kubelet.sock");
    this.#ownSockets = [basename(this.#kubeletSocket)];
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
    this.#watch = new KubeletDirectory({
      directory: options.directory,
      clock: options.clock,
      concerns: (fileName) => this.#ownSockets.includes(fileName) || fileName === basename(options.directory),
      changed: () => {
        for (const server of this.#servers.values()) void server.wake();
      },
    });
    options.signal.addEventListener("abort", this.#aborted);
    if (options.signal.aborted) this.#aborted();
  }

  resources(): readonly ResourceState[] {
    return [...this.#servers.values()].map((server) => server.state());
  }

  setResources(resources: readonly PublishedResource[]): Promise<void> {
    const change = this.#changes.then(() => this.#change(resources));
    this.#changes = change.catch(() => undefined);
    return change;
  }

  close(): Promise<void> {
    return this.#finish({ reason: "stopped" });
  }

  async #change(resources: readonly PublishedResource[]): Promise<void> {
    if (this.#closing !== undefined) return;
    const wanted = new Map(resources.map((resource) => [resource.resourceName, resource]));
    const stale = [...this.#servers].filter(([name, { resource }]) => wanted.get(name) !== resource);
    for (const [name] of stale) if (!this.#leftToOthers.has(name)) this.#servers.delete(name);
    await Promise.all(stale.map(([, server]) => server.close()));
    if (this.#closing !== undefined) return;
    for (const [name, resource] of wanted) if (!this.#servers.has(name)) this.#start(name, resource);
  }

  #start(name: string, resource: PublishedResource): void {
    const { directory, clock, random, report } = this.#options;
    if (!this.#ownSockets.includes(resource.endpoint)) this.#ownSockets.push(resource.endpoint);
    const server = new ResourceServer({
      resource,
      directory,
      kubeletSocket: this.#kubeletSocket,
      ownSockets: this.#ownSockets,
      clock,
      random,
      report,
      left: (how) => {
        this.#leftToOthers.add(name);
        if (how.reason === "foreign") void this.#finish({ ...how, resourceName: name });
        else if ([...this.#servers.keys()].every((each) => this.#leftToOthers.has(each))) {
          void this.#finish({ reason: "replaced" });
        }
      },
    });
    this.#servers.set(name, server);
    void server.wake();
  }

  #finish(end: DevicePluginEnd): Promise<void> {
    this.#closing ??= this.#closeAll(end);
    return this.#closing;
  }

  async #closeAll(end: DevicePluginEnd): Promise<void> {
    this.#options.signal.removeEventListener("abort", this.#aborted);
    this.#watch.close();
    const closed = (): Promise<unknown> => Promise.all([...this.#servers.values()].map((server) => server.close()));
    await closed();
    await this.#changes;
    await closed();
    this.#resolveEnded(end);
  }

  readonly #aborted = (): void => {
    void this.close();
  };
}
