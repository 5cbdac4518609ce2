import type { PluginDevice } from "./published-resource.ts";

/*
 * The ListAndWatchResponse message, written by hand (spec: Kubernetes §1.2, §7.2): a list of 262,144 devices is 4 MiB, and making
 * one object per device for a general encoder costs three times the memory of the list itself.
 *
 *   ListAndWatchResponse  0A <length> Device, repeated
 *   Device                0A <length> ID   12 <length> "Healthy" | "Unhealthy"   [1A <length> TopologyInfo]
 *   TopologyInfo          0A <length> NUMANode
 *   NUMANode              [08 <varint> ID, left out when 0]
 */
const FIELD_1_BYTES = 0x0a;
const FIELD_1_VARINT = 0x08;
const FIELD_2_BYTES = 0x12;
const FIELD_3_BYTES = 0x1a;
const HEALTHY = Buffer.from([FIELD_2_BYTES, 7, ...Buffer.from("Healthy")]);
const UNHEALTHY = Buffer.from([FIELD_2_BYTES, 9, ...Buffer.from("Unhealthy")]);

/** What the kubelet's gRPC client accepts in one message; a longer list marks every device unhealthy (spec: Kubernetes §7.1). */
export const KUBELET_MESSAGE_LIMIT = 4 * 1024 * 1024;

/** Bytes of the ListAndWatchResponse for these devices, exact, without encoding them. */
export function encodedListSize(devices: readonly PluginDevice[]): number {
  let total = 0;
  for (const device of devices) {
    const body = deviceSize(device);
    total += 1 + varintSize(body) + body;
  }
  return total;
}

/** The ListAndWatchResponse for these devices: one pass over them for the size, one for the bytes, one allocation. */
export function encodeList(devices: readonly PluginDevice[]): Buffer {
  const bytes = Buffer.allocUnsafeSlow(encodedListSize(devices));
  let at = 0;
  for (const device of devices) {
    bytes[at++] = FIELD_1_BYTES;
    at = writeVarint(bytes, at, deviceSize(device));
    bytes[at++] = FIELD_1_BYTES;
    at = writeText(bytes, at, device.id);
    const health = device.healthy ? HEALTHY : UNHEALTHY;
    bytes.set(health, at);
    at += health.length;
    if (device.numaNode !== undefined) at = writeTopology(bytes, at, device.numaNode);
  }
  return bytes;
}

function deviceSize(device: PluginDevice): number {
  const id = textSize(device.id);
  let size = 1 + varintSize(id) + id + (device.healthy ? HEALTHY.length : UNHEALTHY.length);
  if (device.numaNode !== undefined) size += 4 + numaNodeSize(device.numaNode);
  return size;
}

/** Bytes of a NUMANode, at most 9: its length and its container's fit in one byte each. */
function numaNodeSize(node: number): number {
  return node === 0 ? 0 : 1 + varintSize(node);
}

function writeTopology(bytes: Buffer, start: number, node: number): number {
  const size = numaNodeSize(node);
  let at = start;
  bytes[at++] = FIELD_3_BYTES;
  bytes[at++] = 2 + size;
  bytes[at++] = FIELD_1_BYTES;
  bytes[at++] = size;
  if (size === 0) return at;
  bytes[at++] = FIELD_1_VARINT;
  return writeVarint(bytes, at, node);
}

/** Ids are a few ASCII characters: counting and copying them here is several times cheaper than a call into the runtime for each. */
function textSize(text: string): number {
  for (let index = 0; index < text.length; index += 1) {
    if (text.charCodeAt(index) > 0x7f) return Buffer.byteLength(text, "utf8");
  }
  return text.length;
}

function writeText(bytes: Buffer, start: number, text: string): number {
  const size = textSize(text);
  const at = writeVarint(bytes, start, size);
  if (size !== text.length) return at + bytes.write(text, at, "utf8");
  for (let index = 0; index < size; index += 1) bytes[at + index] = text.charCodeAt(index);
  return at + size;
}

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 0x80)) size += 1;
  return size;
}

function writeVarint(bytes: Buffer, start: number, value: number): number {
  let at = start;
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes[at++] = (rest % 0x80) | 0x80;
  bytes[at++] = rest;
  return at;
}
