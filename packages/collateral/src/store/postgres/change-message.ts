import type { StoreChange } from "../store.ts";

/**
 * What one replica tells the others after a commit: which things were written, not what. Who hears it reads them anew; so a
 * message is small, and a forged one can make nobody believe anything.
 */
export type ChangedThing =
  /** Everything of a platform: its row, certificates and raw TCBs. */
  | { readonly kind: "platform"; readonly key: readonly [qeId: string, pceId: string] }
  | { readonly kind: "chain"; readonly key: readonly [ca: string] }
  /** By the row's name. */
  | { readonly kind: "crl"; readonly key: readonly [name: string] }
  | { readonly kind: "tcb-info"; readonly key: readonly [tee: string, fmspc: string, version: string, update: string] }
  | { readonly kind: "identity"; readonly key: readonly [id: string, version: string, update: string] }
  | { readonly kind: "policies"; readonly key: readonly [fmspc: string] }
  | { readonly kind: "registration"; readonly key: readonly [string, string, string, string] };

export type ChangeMessage =
  /** Undefined `things`: too many to name; anything may have changed. */
  { readonly instance: string; readonly things: readonly ChangedThing[] | undefined } | { readonly schema: number };

/** NOTIFY takes less than 8,000 bytes. */
const MAX_BYTES = 7_900;
/** Each costs whoever hears it one to three reads. */
const MAX_THINGS = 32;
const PARTS = {
  platform: 2,
  chain: 1,
  crl: 1,
  "tcb-info": 4,
  identity: 3,
  policies: 1,
  registration: 4,
} as const satisfies Record<ChangedThing["kind"], number>;

export function encodeChange(instance: string, changes: readonly StoreChange[], crlName: CrlNames): string {
  const things = new Map<string, readonly string[]>();
  for (const change of changes) {
    const thing = thingOf(change, crlName);
    const parts = [thing.kind, ...thing.key];
    things.set(parts.join("\n"), parts);
    if (things.size > MAX_THINGS) return JSON.stringify({ instance });
  }
  const text = JSON.stringify({ instance, things: [...things.values()] });
  return Buffer.byteLength(text) <= MAX_BYTES ? text : JSON.stringify({ instance });
}

/** What names the row of a CRL by its distribution point. */
export type CrlNames = (url: string) => string;

/** Undefined: not a message of this version; anything may have changed. */
export function decodeChange(text: string): ChangeMessage | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { instance, things, schema } = value as Record<string, unknown>;
  if (typeof schema === "number") return { schema };
  if (typeof instance !== "string") return undefined;
  if (!Array.isArray(things) || things.length > MAX_THINGS) return { instance, things: undefined };
  const decoded = things.map(decodeThing);
  return { instance, things: decoded.every((thing) => thing !== undefined) ? decoded : undefined };
}

function decodeThing(parts: unknown): ChangedThing | undefined {
  if (!Array.isArray(parts) || !parts.every((part) => typeof part === "string")) return undefined;
  const [kind, ...key] = parts as string[];
  if (kind === undefined || !Object.hasOwn(PARTS, kind) || PARTS[kind as ChangedThing["kind"]] !== key.length) {
    return undefined;
  }
  return { kind, key } as unknown as ChangedThing;
}

function thingOf(change: StoreChange, crlName: CrlNames): ChangedThing {
  if ("drop" in change) return { kind: "platform", key: [change.key.qeId, change.key.pceId] };
  switch (change.put) {
    case "platform":
      return { kind: "platform", key: [change.platform.qeId, change.platform.pceId] };
    case "platform-tcb":
    case "pck-certificate":
      return { kind: "platform", key: [change.key.qeId, change.key.pceId] };
    case "pck-chain":
      return { kind: "chain", key: [change.ca] };
    case "pck-crl":
      return { kind: "crl", key: [`pck/${change.ca}`] };
    case "root-ca-crl":
      return { kind: "crl", key: ["root"] };
    case "crl":
      return { kind: "crl", key: [crlName(change.url)] };
    case "tcb-info": {
      const { tee, fmspc, version, update } = change.key;
      return { kind: "tcb-info", key: [tee, fmspc, `${version}`, update] };
    }
    case "identity":
      return { kind: "identity", key: [change.key.id, `${change.key.version}`, change.key.update] };
    case "policy":
      return { kind: "policies", key: [change.policy.fmspc] };
    case "registration": {
      const { qeId, pceId, cpuSvn, pceSvn } = change.registration;
      return { kind: "registration", key: [qeId, pceId, cpuSvn, pceSvn] };
    }
  }
}
