import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { Client, credentials } from "@grpc/grpc-js";
import type { Clock } from "../clock.ts";
import { AZURE_EPC_RESOURCE } from "../names.ts";
import { EmptySchema, type ListAndWatchResponse } from "./api/generated/device-plugin_pb.ts";
import { DEVICE_PLUGIN_CLIENT } from "./api/services.ts";
import { KUBELET_MESSAGE_LIMIT } from "./list-encoding.ts";
import { LOCAL_CHANNEL_OPTIONS } from "./registration.ts";

const CHECKPOINT = "kubelet_internal_checkpoint";
/** The checkpoint of a node with 262,144 devices, all allocated, has about 5 MB. */
const CHECKPOINT_LIMIT = 64 * 1024 * 1024;
const SOCKETS_LIMIT = 64;
const ANSWER_MS = 2_000;

/** An id as this project makes them: one to three base64url digits for EPC, a letter and a number for slots. */
export function hasOwnForm(resourceName: string, id: string): boolean {
  return resourceName === AZURE_EPC_RESOURCE ? /^[A-Za-z0-9_-]{1,3}$/.test(id) : /^[a-z][0-9]{1,6}$/.test(id);
}

/**
 * Those of a whole list of ids that are not of our making. Plugins that number devices in decimal have ids like ours below 1000; a list of
 * ours begins with letters, and keeps them longest when EPC shrinks, so a list of decimal numbers alone is somebody else's.
 */
export function foreignIds(resourceName: string, ids: readonly string[]): readonly string[] {
  if (ids.length > 1 && ids.every((id) => /^[0-9]+$/.test(id))) return ids;
  return ids.filter((id) => !hasOwnForm(resourceName, id));
}

/** A plugin that is not ours and serves a resource of ours. */
export interface ForeignPlugin {
  readonly socket: string;
  readonly ids: readonly string[];
}

/**
 * Looks for somebody else's plugin that serves `resourceName` at this moment. The kubelet's checkpoint says which ids it was told last; a
 * socket of the directory that is not in `ownSockets` and lists such an id is the one. A checkpoint alone proves nothing: it outlives plugins.
 */
export async function findForeignPlugin(options: {
  directory: string;
  resourceName: string;
  /** File names that are never looked at: the kubelet's and our own. */
  ownSockets: readonly string[];
  clock: Clock;
}): Promise<ForeignPlugin | undefined> {
  const { directory, resourceName } = options;
  const names = await otherSockets(directory, options.ownSockets);
  if (names.length === 0) return undefined;
  const foreign = new Set(foreignIds(resourceName, await checkpointIds(directory, resourceName)));
  if (foreign.size === 0) return undefined;
  const found = await Promise.all(
    names.map(async (name) => {
      const socket = join(directory, name);
      const ids = await listedIds(socket, options.clock);
      return ids.some((id) => foreign.has(id)) ? { socket, ids: ids.slice(0, 3) } : undefined;
    }),
  );
  return found.find((plugin) => plugin !== undefined);
}

/** File names of the sockets in the directory that are not `ownSockets`, in order; 64 at most. */
export async function otherSockets(directory: string, ownSockets: readonly string[]): Promise<readonly string[]> {
  const own = new Set(ownSockets);
  return (await readdir(directory, { withFileTypes: true }))
    .filter((entry) => entry.isSocket() && !own.has(entry.name) && !entry.name.startsWith("."))
    .map((entry) => entry.name)
    .sort()
    .slice(0, SOCKETS_LIMIT);
}

/** The ids that the kubelet has written down for one resource; none when there is no checkpoint or it is not readable as one. */
async function checkpointIds(directory: string, resourceName: string): Promise<readonly string[]> {
  const path = join(directory, CHECKPOINT);
  try {
    if ((await stat(path)).size > CHECKPOINT_LIMIT) return [];
    const text = await readFile(path, "utf8");
    if (!text.includes(JSON.stringify(resourceName))) return [];
    const checkpoint = JSON.parse(text) as { Data?: { RegisteredDevices?: Record<string, unknown> } };
    const ids = checkpoint.Data?.RegisteredDevices?.[resourceName];
    return Array.isArray(ids) ? ids.filter((id): id is string => typeof id === "string") : [];
  } catch {
    return [];
  }
}

/** The ids of the first list that a plugin sends; none when nobody answers in 2 s. */
function listedIds(socket: string, clock: Clock): Promise<readonly string[]> {
  const client = new Client(`unix:${socket}`, credentials.createInsecure(), {
    ...LOCAL_CHANNEL_OPTIONS,
    "grpc.max_receive_message_length": KUBELET_MESSAGE_LIMIT,
  });
  const { path, requestSerialize, responseDeserialize } = DEVICE_PLUGIN_CLIENT.listAndWatch;
  return new Promise((resolve) => {
    const stream = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, create(EmptySchema));
    const done = (ids: readonly string[]): void => {
      clock.clearTimeout(timer);
      stream.cancel();
      client.close();
      resolve(ids);
    };
    const timer = clock.setTimeout(() => done([]), ANSWER_MS);
    stream.once("data", (list: ListAndWatchResponse) => done(list.devices.map((device) => device.ID)));
    stream.once("end", () => done([]));
    stream.on("error", () => done([]));
  });
}
