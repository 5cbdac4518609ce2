import { create } from "@bufbuild/protobuf";
import { type handleUnaryCall, Server } from "@grpc/grpc-js";
import {
  type ListPodResourcesRequest,
  type ListPodResourcesResponse,
  ListPodResourcesResponseSchema,
} from "../../device-plugin/api/generated/pod-resources_pb.ts";
import { POD_RESOURCES_SERVICE } from "../../device-plugin/api/services.ts";
import type { Allocation } from "./checkpoint.ts";

/** The kubelet's pod-resources service over what is allocated at the time of each call; not bound yet. */
export function servePodResources(allocations: () => readonly Allocation[]): Server {
  const server = new Server({ "grpc.enable_channelz": 0, "grpc.max_send_message_length": -1 });
  const list: handleUnaryCall<ListPodResourcesRequest, ListPodResourcesResponse> = (_call, answer) => {
    answer(null, listOf(allocations()));
  };
  server.addService(POD_RESOURCES_SERVICE, { list });
  return server;
}

/** Containers grouped by pod, devices by container, as the kubelet lists them. */
function listOf(allocations: readonly Allocation[]): ListPodResourcesResponse {
  const pods = Map.groupBy(allocations, ({ podUid }) => podUid);
  return create(ListPodResourcesResponseSchema, {
    podResources: [...pods.values()].map((ofPod) => ({
      name: ofPod[0]?.pod ?? "",
      namespace: ofPod[0]?.namespace ?? "",
      containers: [...Map.groupBy(ofPod, ({ container }) => container)].map(([name, ofContainer]) => ({
        name,
        devices: ofContainer.map(({ resourceName, ids }) => ({ resourceName, deviceIds: [...ids] })),
      })),
    })),
  });
}
