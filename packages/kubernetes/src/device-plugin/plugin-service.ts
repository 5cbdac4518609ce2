import { create } from "@bufbuild/protobuf";
import {
  type handleUnaryCall,
  type ServerErrorResponse,
  type ServerUnaryCall,
  status,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import type { Clock } from "../clock.ts";
import { KubernetesError, type KubernetesErrorCode } from "../errors.ts";
import {
  type AllocateRequest,
  type AllocateResponse,
  AllocateResponseSchema,
  type ContainerPreferredAllocationRequest,
  type DevicePluginOptions,
  DevicePluginOptionsSchema,
  type Empty,
  type PreferredAllocationRequest,
  type PreferredAllocationResponse,
  PreferredAllocationResponseSchema,
  type PreStartContainerRequest,
  type PreStartContainerResponse,
  PreStartContainerResponseSchema,
} from "./api/generated/device-plugin_pb.ts";
import type { ListStream } from "./list-publisher.ts";
import type { PublishedResource } from "./published-resource.ts";
import type { DevicePluginReport } from "./report.ts";

/** The kubelet gives a container's start 30 s; the answer that says why is to reach it before that. */
const PRE_START_MS = 25_000;
/** The kubelet asks for one container at a time. */
const MAX_CONTAINERS = 64;
/** Longest explanation that is sent: it becomes part of a pod's event. */
const DETAILS_LIMIT = 900;

const STATUS: Partial<Record<KubernetesErrorCode, status>> = {
  DEVICE_REQUEST_MALFORMED: status.INVALID_ARGUMENT,
  DEVICE_ID_UNKNOWN: status.NOT_FOUND,
  DEVICE_PLUGIN_INTERNAL: status.INTERNAL,
  PRE_START_TIMEOUT: status.DEADLINE_EXCEEDED,
};

/** The DevicePlugin service of one resource (spec: Kubernetes §1.1): checks what the kubelet asks, lets the resource decide, and explains refusals. */
export function pluginService(options: {
  resource: PublishedResource;
  clock: Clock;
  report: DevicePluginReport;
  /** Aborted when the plugin ends: container starts that wait are refused. */
  signal: AbortSignal;
  listAndWatch: (stream: ListStream) => void;
}): UntypedServiceImplementation {
  const { resource, clock, report } = options;
  const name = resource.resourceName;

  const getDevicePluginOptions: handleUnaryCall<Empty, DevicePluginOptions> = (_call, answer) => {
    answer(
      null,
      create(DevicePluginOptionsSchema, {
        preStartRequired: resource.preStartRequired,
        getPreferredAllocationAvailable: resource.preferredAllocationAvailable,
      }),
    );
  };

  const allocate: handleUnaryCall<AllocateRequest, AllocateResponse> = (call, answer) => {
    let ids: readonly string[] = [];
    try {
      const containers = call.request.containerRequests;
      if (containers.length === 0) throw malformed(name, "the request is for no container");
      const devices = resource.devices();
      checkTotal(name, containers, devices.length);
      const containerResponses = containers.map((container) => {
        ids = container.devicesIds;
        checkPublished(name, distinct(name, ids), resource);
        const { envs, mounts, devices, annotations } = resource.allocate(ids);
        report.allocated({ resourceName: name, ids });
        return { envs: { ...envs }, mounts: [...mounts], devices: [...devices], annotations: { ...annotations } };
      });
      answer(null, create(AllocateResponseSchema, { containerResponses }));
    } catch (thrown) {
      const error = asKubernetesError(name, thrown);
      report.allocated({ resourceName: name, ids, error });
      answer(refusal(error));
    }
  };

  const preStart = async (
    call: ServerUnaryCall<PreStartContainerRequest, PreStartContainerResponse>,
  ): Promise<void> => {
    const ids = call.request.devicesIds;
    const limit = new AbortController();
    const late = new KubernetesError("PRE_START_TIMEOUT", `${name}: not ready in ${PRE_START_MS / 1000} s`);
    const timer = clock.setTimeout(() => limit.abort(late), PRE_START_MS);
    call.on("cancelled", () => limit.abort(new KubernetesError("PRE_START_TIMEOUT", `${name}: the kubelet gave up`)));
    try {
      distinct(name, ids);
      await unlessAborted(AbortSignal.any([limit.signal, options.signal]), (signal) => resource.preStart(ids, signal));
      report.preStart({ resourceName: name, ids });
    } catch (thrown) {
      const error = asKubernetesError(name, thrown);
      report.preStart({ resourceName: name, ids, error });
      throw error;
    } finally {
      clock.clearTimeout(timer);
    }
  };

  const preStartContainer: handleUnaryCall<PreStartContainerRequest, PreStartContainerResponse> = (call, answer) => {
    preStart(call).then(
      () => answer(null, create(PreStartContainerResponseSchema)),
      (error: KubernetesError) => answer(refusal(error)),
    );
  };

  const getPreferredAllocation: handleUnaryCall<PreferredAllocationRequest, PreferredAllocationResponse> = (
    call,
    answer,
  ) => {
    try {
      const containerResponses = call.request.containerRequests.map((container) => {
        checkPreference(name, container);
        const { availableDeviceIDs, mustIncludeDeviceIDs, allocationSize } = container;
        return { deviceIDs: [...resource.prefer(availableDeviceIDs, mustIncludeDeviceIDs, allocationSize)] };
      });
      answer(null, create(PreferredAllocationResponseSchema, { containerResponses }));
    } catch (thrown) {
      answer(refusal(asKubernetesError(name, thrown)));
    }
  };

  return {
    getDevicePluginOptions,
    listAndWatch: options.listAndWatch,
    getPreferredAllocation,
    allocate,
    preStartContainer,
  };
}

function malformed(resourceName: string, what: string): KubernetesError {
  return new KubernetesError("DEVICE_REQUEST_MALFORMED", `${resourceName}: ${what}`);
}

function checkTotal(name: string, containers: readonly { devicesIds: readonly string[] }[], published: number): void {
  const requested = containers.reduce((sum, container) => sum + container.devicesIds.length, 0);
  if (requested <= published && containers.length <= MAX_CONTAINERS) return;
  throw malformed(
    name,
    `the request names ${requested} devices for ${containers.length} containers; there are ${published}`,
  );
}

/** The ids as a set; there must be at least one and none twice. */
function distinct(resourceName: string, ids: readonly string[]): Set<string> {
  if (ids.length === 0) throw malformed(resourceName, "the request names no device");
  const set = new Set(ids);
  if (set.size !== ids.length) throw malformed(resourceName, "the request names a device twice");
  return set;
}

/** One pass over the list for each allocation costs milliseconds; an index of 262,144 ids would cost tens of megabytes all the time. */
function checkPublished(resourceName: string, ids: Set<string>, resource: PublishedResource): void {
  for (const { id } of resource.devices()) {
    if (ids.delete(id) && ids.size === 0) return;
  }
  const [unknown] = ids;
  const text = JSON.stringify(String(unknown).slice(0, 63));
  throw new KubernetesError("DEVICE_ID_UNKNOWN", `${resourceName}: the device ${text} is not published here`);
}

function checkPreference(name: string, container: ContainerPreferredAllocationRequest): void {
  const { availableDeviceIDs, mustIncludeDeviceIDs, allocationSize } = container;
  if (allocationSize < 0 || allocationSize > availableDeviceIDs.length) {
    throw malformed(name, `${allocationSize} of ${availableDeviceIDs.length} devices are to be preferred`);
  }
  if (mustIncludeDeviceIDs.length > allocationSize) {
    throw malformed(name, `${mustIncludeDeviceIDs.length} devices must be among ${allocationSize}`);
  }
}

/** Runs `work`, but waits no longer than until `signal` is aborted. */
async function unlessAborted(signal: AbortSignal, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  let stop: () => void = () => undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
  });
  try {
    await Promise.race([work(signal), aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

function asKubernetesError(resourceName: string, thrown: unknown): KubernetesError {
  if (thrown instanceof KubernetesError) return thrown;
  const message = `${resourceName}: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
  return new KubernetesError("DEVICE_PLUGIN_INTERNAL", message, { cause: thrown });
}

/** What the kubelet gets, and shows in the event of the pod that it refuses: what happened, the code to look up, what to do. */
function refusal(error: KubernetesError): Partial<ServerErrorResponse> & { code: status } {
  const details = `confcom: ${error.message} (${error.code}): ${error.nextStep}`.slice(0, DETAILS_LIMIT);
  return { code: STATUS[error.code] ?? status.FAILED_PRECONDITION, details };
}
