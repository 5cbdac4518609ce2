import { deserialize, serialize } from "node:v8";
import type { PlatformKey, StoreChange } from "./store.ts";

/**
 * Changes that one thread has put together and another writes: they pass the thread that answers as bytes, which cost it
 * nothing however many there are.
 */
export interface PackedChanges {
  /** Transferred with its writing: used once. */
  readonly packed: ArrayBuffer;
  readonly rows: number;
  /** What listeners are told: of all changes of a platform, one. */
  readonly told: readonly StoreChange[];
}

export function packChanges(changes: readonly StoreChange[]): PackedChanges {
  const { buffer, byteOffset, length } = serialize(changes);
  const whole = buffer instanceof ArrayBuffer && byteOffset === 0 && buffer.byteLength === length;
  const packed = whole ? buffer : (buffer.slice(byteOffset, byteOffset + length) as ArrayBuffer);
  return { packed, rows: changes.length, told: toldOf(changes) };
}

export function unpackChanges(packed: ArrayBuffer): readonly StoreChange[] {
  return deserialize(new Uint8Array(packed)) as readonly StoreChange[];
}

/** A certificate, where there is one, stands for everything about its platform. */
function toldOf(changes: readonly StoreChange[]): StoreChange[] {
  const byPlatform = new Map<string, StoreChange>();
  const told: StoreChange[] = [];
  for (const change of changes) {
    const key = platformOf(change);
    if (key === undefined) {
      told.push(change);
      continue;
    }
    const name = `${key.qeId}/${key.pceId}`;
    if (!byPlatform.has(name) || isCertificate(change)) byPlatform.set(name, change);
  }
  return [...told, ...byPlatform.values()];
}

const isCertificate = (change: StoreChange): boolean => "put" in change && change.put === "pck-certificate";

function platformOf(change: StoreChange): PlatformKey | undefined {
  if ("drop" in change) return change.key;
  if (change.put === "platform") return change.platform;
  return change.put === "pck-certificate" || change.put === "platform-tcb" ? change.key : undefined;
}
