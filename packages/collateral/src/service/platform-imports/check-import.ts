import {
  PlatformCollateralRefusal,
  platformCollateralChanges,
  readPlatformCollateral,
} from "../../platform-collateral/index.ts";
import { type PackedChanges, packChanges } from "../../store/packed-changes.ts";
import type { PlatformKey, RawTcbKey } from "../../store/store.ts";
import { refuseSwollenJson } from "./json-shape.ts";
import type { PckChains } from "./messages.ts";

export interface ImportTerms {
  readonly trustedRoots: readonly Uint8Array[];
  /** The store's: it revokes where the document has none. */
  readonly rootCaCrl: Uint8Array | undefined;
  readonly pckChains: PckChains;
  /** What the store has of these platforms, in their order. */
  readonly rawTcbs: (keys: readonly PlatformKey[]) => Promise<readonly (readonly RawTcbKey[])[]>;
}

/** Platforms asked about at a time: reading them keeps nobody from an answer. */
const KEYS_AT_A_TIME = 50;

/**
 * A document of platform collateral, JSON in UTF-8, checked whole: what to write, in one transaction. Fails with
 * PlatformCollateralRefusal.
 */
export async function checkImport(json: Uint8Array, terms: ImportTerms): Promise<PackedChanges> {
  // A file of v4 says so; those of v3 need not.
  const collateral = readPlatformCollateral(parse(json), 3);
  const keys = collateral.certificates.map(({ qeId, pceId }) => ({ qeId, pceId }));
  const known = new Map<string, readonly RawTcbKey[]>();
  for (let at = 0; at < keys.length; at += KEYS_AT_A_TIME) {
    const some = keys.slice(at, at + KEYS_AT_A_TIME);
    const rawTcbs = await terms.rawTcbs(some);
    for (const [index, key] of some.entries()) known.set(nameOf(key), rawTcbs[index] ?? []);
  }
  const { trustedRoots, rootCaCrl, pckChains } = terms;
  const changes = await platformCollateralChanges(collateral, {
    terms: { trustedRoots, ...(rootCaCrl === undefined ? {} : { rootCaCrl }) },
    knownPckChain: (ca) => pckChains[ca],
    knownRawTcbs: (key) => known.get(nameOf(key)) ?? [],
  });
  return packChanges(changes);
}

const nameOf = ({ qeId, pceId }: PlatformKey): string => `${qeId}/${pceId}`;

function parse(json: Uint8Array): unknown {
  refuseSwollenJson(json);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(json));
  } catch (cause) {
    // The parser's message quotes the text.
    const why = cause instanceof SyntaxError ? "syntax" : "not UTF-8";
    throw new PlatformCollateralRefusal(400, `the body is not JSON (${why})`);
  }
  return value;
}
