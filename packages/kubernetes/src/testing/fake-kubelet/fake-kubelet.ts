import { lstatSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { type handleUnaryCall, Server, ServerCredentials, status } from "@grpc/grpc-js";
import {
  type ContainerAllocateResponse,
  type Device,
  type DevicePluginOptions,
  type Empty,
  EmptySchema,
  type RegisterRequest,
} from "../../device-plugin/api/generated/device-plugin_pb.ts";
import { REGISTRATION_SERVICE } from "../../device-plugin/api/services.ts";
import { type Allocation, checkpointedResources, writeCheckpoint } from "./checkpoint.ts";
import { PluginConnection } from "./plugin-connection.ts";
import { servePodResources } from "./pod-resources.ts";

/** The container that devices are allocated to. */
export interface ContainerName {
  readonly podUid: string;
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

/** What a test may have the kubelet do differently; read at each use. */
export interface FakeKubeletBehaviour {
  /** Answers registrations with this error. */
  refuse?: string | undefined;
  /** Answers registrations, but never calls the plugin. */
  silent?: boolean;
  /** Does not answer registrations at all. */
  hang?: boolean;
}

interface Endpoint {
  readonly connection: PluginConnection;
  readonly options: DevicePluginOptions;
}

/**
 * The device manager of a kubelet 1.34, as far as a plugin can tell (spec: Kubernetes §1.3): takes registrations, dials back, reads lists,
 * allocates, keeps a checkpoint. Two of its habits are easily missed. A second registration of a name replaces the endpoint and leaves the
 * stream of the first one open. And when a stream ends, it is the *present* connection of that name that is closed, whichever stream it was.
 */
export class FakeKubelet {
  readonly directory: string;
  readonly kubeletSocket: string;
  readonly behaviour: FakeKubeletBehaviour = {};
  /** Every registration that was asked for, refused ones included, over all restarts. */
  readonly registrations: { readonly resourceName: string; readonly endpoint: string }[] = [];
  /** Why each stream that ended did so. */
  readonly endedStreams: { readonly resourceName: string; readonly reason: string }[] = [];
  /** Lists received, per resource. */
  readonly listsReceived = new Map<string, number>();
  readonly #now: () => number;
  readonly #podResourcesSocket: string | undefined;
  readonly #connections = new Map<string, PluginConnection>();
  readonly #endpoints = new Map<string, Endpoint>();
  readonly #devices = new Map<string, ReadonlyMap<string, Device>>();
  readonly #all = new Set<PluginConnection>();
  #allocations: Allocation[] = [];
  #server: Server | undefined;
  #podResources: Server | undefined;

  private constructor(options: FakeKubeletOptions) {
    this.directory = options.directory;
    this.kubeletSocket = join(options.directory, "kubelet.sock");
    this.#now = options.now;
    this.#podResourcesSocket = options.podResourcesSocket;
  }

  static async start(options: FakeKubeletOptions): Promise<FakeKubelet> {
    const kubelet = new FakeKubelet(options);
    await kubelet.start();
    return kubelet;
  }

  /** As a kubelet starts: every socket in the directory is deleted, then its own is made; what the checkpoint knows has no device yet. */
  async start(): Promise<void> {
    mkdirSync(this.directory, { recursive: true });
    for (const name of readdirSync(this.directory)) {
      const path = join(this.directory, name);
      if (lstatSync(path).isSocket()) rmSync(path);
    }
    for (const name of checkpointedResources(this.directory)) this.#devices.set(name, new Map());
    this.#server = new Server({ "grpc.enable_channelz": 0 });
    this.#server.addService(REGISTRATION_SERVICE, { register: this.#register });
    await listen(this.#server, this.kubeletSocket);
    if (this.#podResourcesSocket !== undefined) {
      this.#podResources = servePodResources(() => this.#allocations);
      await listen(this.#podResources, this.#podResourcesSocket);
    }
  }

  /** As a kubelet is killed: connections break; its socket stays behind and refuses connections. */
  kill(): void {
    for (const connection of this.#all) connection.close();
    this.#all.clear();
    this.#connections.clear();
    this.#endpoints.clear();
    this.#devices.clear();
    this.#server?.forceShutdown();
    this.#podResources?.forceShutdown();
    this.#server = undefined;
    this.#podResources = undefined;
  }

  /** As a kubelet ends in order: it takes its socket along. */
  stop(): void {
    this.kill();
    rmSync(this.kubeletSocket, { force: true });
    if (this.#podResourcesSocket !== undefined) rmSync(this.#podResourcesSocket, { force: true });
  }

  async restart(): Promise<void> {
    this.kill();
    await this.start();
  }

  /** The resource as the node's status would show it; undefined when the kubelet does not know it. */
  resource(resourceName: string): { capacity: number; allocatable: number } | undefined {
    const devices = this.#devices.get(resourceName);
    if (devices === undefined) return undefined;
    return { capacity: devices.size, allocatable: healthyIds(devices).length };
  }

  devices(resourceName: string): readonly Device[] {
    return [...(this.#devices.get(resourceName)?.values() ?? [])];
  }

  options(resourceName: string): DevicePluginOptions | undefined {
    return this.#endpoints.get(resourceName)?.options;
  }

  /** The connection to the plugin that serves a resource, for calls that a kubelet would not make. */
  connection(resourceName: string): PluginConnection | undefined {
    return this.#connections.get(resourceName);
  }

  get allocations(): readonly Allocation[] {
    return this.#allocations;
  }

  /** Admits a container that asks for `count` devices. Throws, as pods are refused, when they are not there or the plugin says no. */
  async allocate(resourceName: string, count: number, container: ContainerName): Promise<ContainerAllocateResponse> {
    const endpoint = this.#endpoints.get(resourceName);
    const devices = this.#devices.get(resourceName);
    if (devices === undefined || endpoint === undefined) {
      throw new Error(`cannot allocate unregistered device ${resourceName}`);
    }
    const healthy = healthyIds(devices);
    if (healthy.length === 0) throw new Error(`no healthy devices present; cannot allocate ${resourceName}`);
    const taken = new Set(
      this.#allocations.filter((one) => one.resourceName === resourceName).flatMap(({ ids }) => ids),
    );
    const free = healthy.filter((id) => !taken.has(id));
    if (free.length < count) {
      throw new Error(`${resourceName}: requested number of devices unavailable: ${count} of ${free.length}`);
    }
    const preferred = endpoint.options.getPreferredAllocationAvailable
      ? await endpoint.connection.prefer(free, [], count)
      : [];
    const available = new Set(free);
    const ids = [...new Set([...preferred.filter((id) => available.has(id)), ...free])].slice(0, count);
    const response = await endpoint.connection.allocate(ids);
    this.#allocations.push({ ...container, resourceName, ids });
    this.#writeCheckpoint();
    return response;
  }

  /** Starts, or starts again, an admitted container: the plugins that want to know are asked. Throws when one refuses. */
  async startContainer(container: ContainerName): Promise<void> {
    for (const { podUid, container: name, resourceName, ids } of this.#allocations) {
      if (podUid !== container.podUid || name !== container.container) continue;
      const endpoint = this.#endpoints.get(resourceName);
      if (endpoint === undefined)
        throw new Error(`endpoint not found in cache for a registered resource: ${resourceName}`);
      if (endpoint.options.preStartRequired) await endpoint.connection.preStart(ids);
    }
  }

  /** Frees what a pod holds. */
  removePod(podUid: string): void {
    this.#allocations = this.#allocations.filter((allocation) => allocation.podUid !== podUid);
    this.#writeCheckpoint();
  }

  readonly #register: handleUnaryCall<RegisterRequest, Empty> = (call, answer) => {
    const { version, resourceName, endpoint } = call.request;
    this.registrations.push({ resourceName, endpoint });
    if (this.behaviour.hang === true) return;
    const refusal = this.behaviour.refuse ?? refusalOf(version, resourceName);
    if (refusal !== undefined) {
      answer({ code: status.UNKNOWN, details: refusal });
      return;
    }
    if (this.behaviour.silent === true) {
      answer(null, create(EmptySchema));
      return;
    }
    this.#connect(resourceName, join(this.directory, endpoint)).then(
      () => answer(null, create(EmptySchema)),
      (error: Error) => answer({ code: status.UNKNOWN, details: `failed to dial device plugin: ${error.message}` }),
    );
  };

  async #connect(resourceName: string, socket: string): Promise<void> {
    const connection = new PluginConnection(socket, this.#now);
    this.#all.add(connection);
    this.#connections.set(resourceName, connection);
    try {
      const options = await connection.dial();
      this.#endpoints.set(resourceName, { connection, options });
    } catch (error) {
      this.#connections.delete(resourceName);
      this.#drop(connection);
      throw error;
    }
    void connection
      .listAndWatch((devices) => this.#received(resourceName, connection, devices))
      .then((reason) => this.#streamEnded(resourceName, connection, reason));
  }

  #received(resourceName: string, connection: PluginConnection, devices: readonly Device[]): void {
    if (!this.#all.has(connection)) return;
    this.listsReceived.set(resourceName, (this.listsReceived.get(resourceName) ?? 0) + 1);
    this.#devices.set(resourceName, new Map(devices.map((device) => [device.ID, device])));
    this.#writeCheckpoint();
  }

  #streamEnded(resourceName: string, connection: PluginConnection, reason: string): void {
    this.endedStreams.push({ resourceName, reason });
    if (!this.#all.has(connection)) return;
    const present = this.#connections.get(resourceName);
    if (present === undefined) {
      this.#drop(connection);
      return;
    }
    this.#connections.delete(resourceName);
    const devices = this.devices(resourceName).map((device) => ({ ...device, health: "Unhealthy" }));
    this.#devices.set(resourceName, new Map(devices.map((device) => [device.ID, device])));
    this.#drop(present);
  }

  #drop(connection: PluginConnection): void {
    this.#all.delete(connection);
    connection.close();
  }

  #writeCheckpoint(): void {
    const registered = new Map<string, readonly string[]>();
    for (const [name, devices] of this.#devices) registered.set(name, healthyIds(devices));
    writeCheckpoint(this.directory, this.#allocations, registered);
  }
}

export interface FakeKubeletOptions {
  /** The device-plugin directory; made if it is missing. */
  readonly directory: string;
  /** Where to serve the pod-resources API; not served otherwise. */
  readonly podResourcesSocket?: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

function healthyIds(devices: ReadonlyMap<string, Device>): readonly string[] {
  return [...devices.values()].filter((device) => device.health === "Healthy").map((device) => device.ID);
}

/** Why the kubelet would not take this name or version; undefined when it would (spec: Kubernetes §1.3). */
function refusalOf(version: string, resourceName: string): string | undefined {
  if (version !== "v1beta1") return `requested API version "${version}" is not supported by kubelet`;
  const name = /^([a-z0-9.-]+)\/([A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)$/.exec(resourceName);
  if (name === null || (name[1] as string).includes("kubernetes.io") || resourceName.startsWith("requests.")) {
    return `the ResourceName "${resourceName}" is invalid`;
  }
  return undefined;
}

/** Binds beside the path and moves over it, so that the path stays when the server is gone: what is left of a killed process. */
function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.bindAsync(`unix:${path}.new`, ServerCredentials.createInsecure(), (error) => {
      if (error !== null) {
        reject(error);
        return;
      }
      renameSync(`${path}.new`, path);
      resolve();
    });
  });
}
