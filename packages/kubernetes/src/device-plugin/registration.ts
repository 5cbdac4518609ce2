import { create } from "@bufbuild/protobuf";
import { Client, credentials, type ServiceError, status } from "@grpc/grpc-js";
import type { Clock } from "../clock.ts";
import { KubernetesError } from "../errors.ts";
import { type RegisterRequest, RegisterRequestSchema } from "./api/generated/device-plugin_pb.ts";
import { REGISTRATION_SERVICE } from "./api/services.ts";
import type { PublishedResource } from "./published-resource.ts";

/** The only version there is (spec: Kubernetes §1.3). */
export const API_VERSION = "v1beta1";

/** The kubelet dials the plugin before it answers, for up to 10 s. */
const DEADLINE_MS = 15_000;

/** Options of every channel of ours to a unix socket: nothing shared with an earlier channel, whose back-off would delay this one, and no proxy. */
export const LOCAL_CHANNEL_OPTIONS = {
  "grpc.use_local_subchannel_pool": 1,
  "grpc.default_authority": "localhost",
  "grpc.enable_http_proxy": 0,
  "grpc.enable_retries": 0,
  "grpc.enable_channelz": 0,
  "grpc.service_config_disable_resolution": 1,
} as const;

/** Registers one resource with the kubelet (spec: Kubernetes §1.3). Throws KUBELET_UNREACHABLE or KUBELET_REFUSED_REGISTRATION. */
export async function register(options: {
  kubeletSocket: string;
  resource: PublishedResource;
  clock: Clock;
  signal: AbortSignal;
}): Promise<void> {
  const { resource } = options;
  const request = create(RegisterRequestSchema, {
    version: API_VERSION,
    endpoint: resource.endpoint,
    resourceName: resource.resourceName,
    options: {
      preStartRequired: resource.preStartRequired,
      getPreferredAllocationAvailable: resource.preferredAllocationAvailable,
    },
  });
  const client = new Client(`unix:${options.kubeletSocket}`, credentials.createInsecure(), LOCAL_CHANNEL_OPTIONS);
  try {
    await call(client, request, options.clock, options.signal);
  } catch (error) {
    throw explained(error as ServiceError, resource.resourceName, options.kubeletSocket);
  } finally {
    client.close();
  }
}

function call(client: Client, request: RegisterRequest, clock: Clock, signal: AbortSignal): Promise<void> {
  const { path, requestSerialize, responseDeserialize } = REGISTRATION_SERVICE.register;
  return new Promise((resolve, reject) => {
    const done = (error: ServiceError | null): void => {
      clock.clearTimeout(timer);
      signal.removeEventListener("abort", cancel);
      if (error === null) resolve();
      else reject(error);
    };
    const running = client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, done);
    const cancel = (): void => running.cancel();
    const timer = clock.setTimeout(cancel, DEADLINE_MS);
    signal.addEventListener("abort", cancel);
    if (signal.aborted) cancel();
  });
}

function explained(error: ServiceError, resourceName: string, kubeletSocket: string): KubernetesError {
  const details = error.details === "" || error.details === undefined ? error.message : error.details;
  if (error.code === status.UNAVAILABLE || error.code === status.CANCELLED) {
    const what = error.code === status.CANCELLED ? `no answer in ${DEADLINE_MS / 1000} s` : details;
    return new KubernetesError("KUBELET_UNREACHABLE", `${resourceName}: the kubelet at ${kubeletSocket}: ${what}`, {
      cause: error,
    });
  }
  const message = `${resourceName}: the kubelet refused the registration: ${details}`;
  return new KubernetesError("KUBELET_REFUSED_REGISTRATION", message, { cause: error });
}
