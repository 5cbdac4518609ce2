import { type DescMessage, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import type { MethodDefinition } from "@grpc/grpc-js";
import {
  AllocateRequestSchema,
  AllocateResponseSchema,
  DevicePluginOptionsSchema,
  type Empty,
  EmptySchema,
  ListAndWatchResponseSchema,
  PreferredAllocationRequestSchema,
  PreferredAllocationResponseSchema,
  PreStartContainerRequestSchema,
  PreStartContainerResponseSchema,
  RegisterRequestSchema,
} from "./generated/device-plugin_pb.ts";
import { ListPodResourcesRequestSchema, ListPodResourcesResponseSchema } from "./generated/pod-resources_pb.ts";

/** One method as gRPC needs it: path, direction, and the codec of both messages. */
function method<Request extends DescMessage, Response extends DescMessage>(
  path: string,
  request: Request,
  response: Response,
  responseStream = false,
): MethodDefinition<MessageShape<Request>, MessageShape<Response>> {
  return {
    path,
    requestStream: false,
    responseStream,
    requestSerialize: (message) => asBuffer(toBinary(request, message)),
    requestDeserialize: (bytes) => fromBinary(request, bytes),
    responseSerialize: (message) => asBuffer(toBinary(response, message)),
    responseDeserialize: (bytes) => fromBinary(response, bytes),
  };
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Served by the kubelet on `kubelet.sock` (spec: Kubernetes §1.1). */
export const REGISTRATION_SERVICE = {
  register: method("/v1beta1.Registration/Register", RegisterRequestSchema, EmptySchema),
} as const;

const listAndWatch = method("/v1beta1.DevicePlugin/ListAndWatch", EmptySchema, ListAndWatchResponseSchema, true);

/** Called by the kubelet on a plugin's socket (spec: Kubernetes §1.1). */
export const DEVICE_PLUGIN_CLIENT = {
  getDevicePluginOptions: method(
    "/v1beta1.DevicePlugin/GetDevicePluginOptions",
    EmptySchema,
    DevicePluginOptionsSchema,
  ),
  listAndWatch,
  getPreferredAllocation: method(
    "/v1beta1.DevicePlugin/GetPreferredAllocation",
    PreferredAllocationRequestSchema,
    PreferredAllocationResponseSchema,
  ),
  allocate: method("/v1beta1.DevicePlugin/Allocate", AllocateRequestSchema, AllocateResponseSchema),
  preStartContainer: method(
    "/v1beta1.DevicePlugin/PreStartContainer",
    PreStartContainerRequestSchema,
    PreStartContainerResponseSchema,
  ),
} as const;

/** What a plugin serves: the same methods, with a ListAndWatch whose message is handed over already encoded, because a list can be 4 MiB. */
export const DEVICE_PLUGIN_SERVICE = {
  ...DEVICE_PLUGIN_CLIENT,
  listAndWatch: {
    ...listAndWatch,
    responseSerialize: (encoded: Buffer) => encoded,
    responseDeserialize: (bytes: Buffer) => bytes,
  } satisfies MethodDefinition<Empty, Buffer>,
} as const;

/** Served by the kubelet on `pod-resources/kubelet.sock`: which pod holds which device. */
export const POD_RESOURCES_SERVICE = {
  list: method("/v1.PodResourcesLister/List", ListPodResourcesRequestSchema, ListPodResourcesResponseSchema),
} as const;
