import {
  ATTESTATION_KEY_ID_BASE_SIZE,
  ATTESTATION_KEY_ID_SIZE,
  type AttestationKeyId,
  decodeKeyIdList,
  encodeAttestationKeyId,
  SgxFormatError,
} from "@confcom/sgx";
import type { QuotingPlatform } from "../platform.ts";

interface OfferedKey {
  readonly keyId: AttestationKeyId;
  readonly encoded: Uint8Array;
}

export type Selection =
  | { readonly selected: Uint8Array }
  | { readonly selected?: undefined; readonly wrong: "list" | "unsupported"; readonly cause: string };

/** The key ids that a platform offers, encoded once and compared as Intel's service does (spec: AESM §6). */
export class OfferedKeyIds {
  readonly #platform: QuotingPlatform;
  readonly #defaultAlgorithm: number;
  #source: readonly AttestationKeyId[] = [];
  #offered: readonly OfferedKey[] = [];

  /** `defaultAlgorithm` breaks ties in {@link select}. */
  constructor(platform: QuotingPlatform, defaultAlgorithm: number) {
    this.#platform = platform;
    this.#defaultAlgorithm = defaultAlgorithm;
  }

  get count(): number {
    return this.#current().length;
  }

  /** All ids, 256 bytes each, one after the other. */
  list(): Uint8Array {
    const offered = this.#current();
    const out = new Uint8Array(offered.length * ATTESTATION_KEY_ID_SIZE);
    offered.forEach((key, i) => {
      out.set(key.encoded, i * ATTESTATION_KEY_ID_SIZE);
    });
    return out;
  }

  /** The offered key whose first 158 bytes equal those at `start`, where at least 256 bytes must lie. */
  find(bytes: Uint8Array, start: number): AttestationKeyId | undefined {
    return this.#match(bytes, start)?.keyId;
  }

  /**
   * select_att_key_id: without a list all offered ids are candidates, with one the caller's own entries that match (they
   * keep their SPID and type). Several candidates: the default algorithm's, else the first.
   */
  select(list: Uint8Array | undefined): Selection {
    let candidates: readonly Uint8Array[];
    if (list === undefined) candidates = this.#current().map((key) => key.encoded);
    else {
      try {
        candidates = decodeKeyIdList(list).filter((entry) => this.#match(entry, 0) !== undefined);
      } catch (error) {
        if (!(error instanceof SgxFormatError)) throw error;
        return { wrong: "list", cause: `the attestation key id list is malformed: ${error.message}` };
      }
    }
    const selected = candidates.find((entry) => algorithmOf(entry) === this.#defaultAlgorithm) ?? candidates[0];
    return selected === undefined
      ? { wrong: "unsupported", cause: "none of the listed attestation keys is offered here" }
      : { selected };
  }

  #match(bytes: Uint8Array, start: number): OfferedKey | undefined {
    for (const key of this.#current()) {
      const encoded = key.encoded;
      let i = 0;
      while (i < ATTESTATION_KEY_ID_BASE_SIZE && encoded[i] === bytes[start + i]) i++;
      if (i === ATTESTATION_KEY_ID_BASE_SIZE) return key;
    }
    return undefined;
  }

  #current(): readonly OfferedKey[] {
    const source = this.#platform.supportedKeyIds();
    if (source !== this.#source) {
      this.#offered = source.map((keyId) => ({
        keyId,
        encoded: encodeAttestationKeyId(keyId, ATTESTATION_KEY_ID_SIZE),
      }));
      this.#source = source;
    }
    return this.#offered;
  }
}

function algorithmOf(entry: Uint8Array): number {
  return new DataView(entry.buffer, entry.byteOffset, entry.byteLength).getUint32(154, true);
}
