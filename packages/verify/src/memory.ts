import { type Collateral, toHex } from "@confcom/sgx";
import { type QveCollateral, ReadCollateral } from "./collateral/collateral.ts";
import { readCrlText } from "./collateral/crl-text.ts";
import { parseQeIdentity, type QeIdentity } from "./collateral/qe-identity.ts";
import { parseTcbInfo, type TcbInfo } from "./collateral/tcb-info.ts";
import { type Step, sha256 } from "./crypto.ts";
import { Rejection } from "./status.ts";
import type { Certificate } from "./x509/certificate.ts";
import { type CertificateChain, parseChain } from "./x509/chain.ts";
import type { Crl } from "./x509/crl.ts";

/** A store of parsed inputs that outlives one verification; the caller owns it and bounds it. */
export interface VerificationCache {
  get(key: string): unknown;
  set(key: string, value: unknown): void;
}

/** A cache of at most so many entries that forgets the one unused for longest. */
export function createVerificationCache(options: { readonly maxEntries?: number } = {}): VerificationCache {
  const { maxEntries = 256 } = options;
  const entries = new Map<string, unknown>();
  return {
    get(key) {
      const value = entries.get(key);
      if (value === undefined) return undefined;
      entries.delete(key);
      entries.set(key, value);
      return value;
    },
    set(key, value) {
      entries.delete(key);
      entries.set(key, value);
      for (const oldest of entries.keys()) {
        if (entries.size <= maxEntries) break;
        entries.delete(oldest);
      }
    },
  };
}

interface Kinds {
  readonly chain: CertificateChain;
  readonly crl: Crl;
  readonly tcbInfo: TcbInfo;
  readonly qeIdentity: QeIdentity;
}

type Kind = keyof Kinds;
type Parsed<K extends Kind> = Kinds[K] | Rejection;

const encoder = new TextEncoder();

/**
 * Parsed inputs of one verification, or of many. Parsing depends on the bytes alone, and what a parsed object remembers
 * of its signature names the key it was checked with, so nothing here can go stale: time and trust are not in it.
 */
export class Memory {
  readonly #cache: VerificationCache | undefined;
  /** Certificates of this verification by their bytes, so that a root in three chains is one object. */
  readonly certificates: Certificate[] = [];
  /** The last input of each place with what it parsed to: the same text again needs no hash. */
  readonly #last = new Map<string, { readonly input: string | Uint8Array; readonly parsed: unknown }>();

  #collateral: ReadCollateral | undefined;

  constructor(cache?: VerificationCache) {
    this.#cache = cache;
  }

  #parse<K extends Kind>(kind: K, bytes: Uint8Array): Parsed<K> {
    const parsers: { readonly [P in Kind]: (bytes: Uint8Array) => Kinds[P] } = {
      chain: (pem) => parseChain(pem, this.certificates),
      crl: readCrlText,
      tcbInfo: parseTcbInfo,
      qeIdentity: parseQeIdentity,
    };
    try {
      return parsers[kind](bytes);
    } catch (error) {
      if (error instanceof Rejection) return error;
      throw error;
    }
  }

  /** The collateral in one shape. The same texts as last time are the same strings, whose parts need no joining again. */
  collateral(collateral: Collateral | QveCollateral): ReadCollateral {
    if (this.#collateral?.isOf(collateral) !== true) this.#collateral = new ReadCollateral(collateral);
    return this.#collateral as ReadCollateral;
  }

  /** What an input parses to, or why it does not. `place` names the field the input stands in. */
  *parsed<K extends Kind>(kind: K, place: string, input: string | Uint8Array): Step<Parsed<K>> {
    const last = this.#last.get(place);
    // Texts are compared by value; bytes could have been changed in place and are always hashed.
    if (last !== undefined && typeof input === "string" && last.input === input) return last.parsed as Parsed<K>;
    // CRLs given as bytes are copied: what they parse to is views, and is used after the caller has had its turn.
    const bytes = typeof input === "string" ? encoder.encode(input) : kind === "crl" ? input.slice() : input;
    const cache = this.#cache;
    if (cache === undefined) return this.#remember(place, input, this.#parse(kind, bytes));
    const key = `${kind}:${toHex(yield* sha256(bytes))}`;
    const known = cache.get(key) as Parsed<K> | undefined;
    if (known !== undefined) return this.#remember(place, input, known);
    // A copy, because parsed objects are views and the caller may change its buffer.
    const parsed = this.#parse(kind, typeof input === "string" ? bytes : bytes.slice());
    cache.set(key, parsed);
    return this.#remember(place, input, parsed);
  }

  #remember<T>(place: string, input: string | Uint8Array, parsed: T): T {
    if (typeof input === "string") this.#last.set(place, { input, parsed });
    return parsed;
  }

  /** Forgets what belongs to one verification only. */
  endOfVerification(): void {
    this.certificates.length = 0;
  }
}

/** The parsed input, or its refusal thrown. */
export function accepted<T>(parsed: T | Rejection): T {
  if (parsed instanceof Rejection) throw parsed;
  return parsed;
}
