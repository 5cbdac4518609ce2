import { once } from "node:events";
import { create } from "@bufbuild/protobuf";
import {
  Client,
  type ClientReadableStream,
  credentials,
  type MethodDefinition,
  type ServiceError,
} from "@grpc/grpc-js";
import {
  AllocateRequestSchema,
  type ContainerAllocateResponse,
  type Device,
  type DevicePluginOptions,
  EmptySchema,
  type ListAndWatchResponse,
  PreferredAllocationRequestSchema,
  PreStartContainerRequestSchema,
} from "../../device-plugin/api/generated/device-plugin_pb.ts";
import { DEVICE_PLUGIN_CLIENT } from "../../device-plugin/api/services.ts";
import { LOCAL_CHANNEL_OPTIONS } from "../../device-plugin/registration.ts";

const DIAL_MS = 10_000;
const PRE_START_MS = 30_000;

/** What the kubelet's gRPC library accepts in one message. */
const RECEIVE_LIMIT = 4 * 1024 * 1024;

/** The kubelet's side of one registered plugin: the connection that it dialled, and the stream of device lists on it. */
export class PluginConnection {
  readonly socket: string;
  readonly #client: Client;
  readonly #now: () => number;
  #stream: ClientReadableStream<ListAndWatchResponse> | undefined;
  #closed = false;

  constructor(socket: string, now: () => number) {
    this.socket = socket;
    this.#now = now;
    this.#client = new Client(`unix:${socket}`, credentials.createInsecure(), {
      ...LOCAL_CHANNEL_OPTIONS,
      "grpc.max_receive_message_length": RECEIVE_LIMIT,
    });
  }

  /** Waits until the plugin's socket accepts the connection, and asks for the options. */
  async dial(): Promise<DevicePluginOptions> {
    await new Promise<void>((resolve, reject) => {
      this.#client.waitForReady(new Date(this.#now() + DIAL_MS), (error) => (error ? reject(error) : resolve()));
    });
    return this.#call(DEVICE_PLUGIN_CLIENT.getDevicePluginOptions, create(EmptySchema));
  }

  /** Reads device lists until the stream ends, for whatever reason; resolves then, with the reason. */
  async listAndWatch(received: (devices: readonly Device[]) => void): Promise<string> {
    if (this.#closed) return "the connection was closed before";
    const { path, requestSerialize, responseDeserialize } = DEVICE_PLUGIN_CLIENT.listAndWatch;
    const stream = this.#client.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      create(EmptySchema),
    );
    this.#stream = stream;
    stream.on("data", (list: ListAndWatchResponse) => received(list.devices));
    const error = new Promise<string>((resolve) => stream.once("error", (reason) => resolve(reason.message)));
    return Promise.race([error, once(stream, "end").then(() => "ended by the plugin")]);
  }

  /** One container's devices, as the kubelet asks for them: one container in one request. */
  async allocate(ids: readonly string[]): Promise<ContainerAllocateResponse> {
    const { allocate } = DEVICE_PLUGIN_CLIENT;
    const request = create(AllocateRequestSchema, { containerRequests: [{ devicesIds: [...ids] }] });
    const response = await this.#call(allocate, request);
    const [container] = response.containerResponses;
    if (container === undefined) throw new Error("no containers return in allocation response");
    return container;
  }

  async preStart(ids: readonly string[]): Promise<void> {
    const { preStartContainer } = DEVICE_PLUGIN_CLIENT;
    const request = create(PreStartContainerRequestSchema, { devicesIds: [...ids] });
    await this.#call(preStartContainer, request, PRE_START_MS);
  }

  /** The ids that the plugin would rather have allocated. */
  async prefer(available: readonly string[], mustInclude: readonly string[], size: number): Promise<readonly string[]> {
    const { getPreferredAllocation } = DEVICE_PLUGIN_CLIENT;
    const container = {
      availableDeviceIDs: [...available],
      mustIncludeDeviceIDs: [...mustInclude],
      allocationSize: size,
    };
    const request = create(PreferredAllocationRequestSchema, { containerRequests: [container] });
    const response = await this.#call(getPreferredAllocation, request);
    return response.containerResponses[0]?.deviceIDs ?? [];
  }

  /** Any call with any message, for what a kubelet would never send. */
  call<Request, Response>(method: MethodDefinition<Request, Response>, request: Request): Promise<Response> {
    return this.#call(method, request);
  }

  close(): void {
    this.#closed = true;
    this.#stream?.cancel();
    this.#client.close();
  }

  #call<Request, Response>(
    method: MethodDefinition<Request, Response>,
    request: Request,
    deadlineMs?: number,
  ): Promise<Response> {
    return new Promise((resolve, reject) => {
      const options = deadlineMs === undefined ? {} : { deadline: new Date(this.#now() + deadlineMs) };
      this.#client.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        options,
        (error: ServiceError | null, response) => (error === null ? resolve(response as Response) : reject(error)),
      );
    });
  }
}
