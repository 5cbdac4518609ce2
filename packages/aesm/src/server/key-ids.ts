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
  readonly view: DataView;
}

/** The compared 158 bytes are 39 words and a half. */
const COMPARED_WORDS = ATTESTATION_KEY_ID_BASE_SIZE - 2;

export type Selection =
  | { readonly selected: Uint8Array }
  | { readonly selected?: undefined; readonly wrong: "list" | "unsupported"; readonly cause: string };

/** The key ids that a platform offers, encoded once and compared as Intel's service does (spec: AESM §6). */
export class OfferedKeyIds {
  readonly #platform: QuotingPlatform;
  readonly #defaultAlgorithm: number;
  #source: readonly AttestationKeyId[] = [];
  #offered: readonly OfferedKey[] = [];
  #viewed: Uint8Array = new Uint8Array(0);
  #view: DataView = viewOf(this.#viewed);

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
    // Words instead of bytes, and one view for the buffer that every request arrives in: this runs for every quote.
    if (bytes !== this.#viewed) {
      this.#viewed = bytes;
      this.#view = viewOf(bytes);
    }
    const view = this.#view;
    for (const key of this.#current()) {
      const offered = key.view;
      let i = 0;
      while (i < COMPARED_WORDS && offered.getUint32(i) === view.getUint32(start + i)) i += 4;
      if (i === COMPARED_WORDS && offered.getUint16(i) === view.getUint16(start + i)) return key;
    }
    return undefined;
  }

  #current(): readonly OfferedKey[] {
    const source = this.#platform.supportedKeyIds();
    if (source !== this.#source) {
      this.#offered = source.map((keyId) => {
        const encoded = encodeAttestationKeyId(keyId, ATTESTATION_KEY_ID_SIZE);
        return { keyId, encoded, view: viewOf(encoded) };
      });
      this.#source = source;
    }
    return this.#offered;
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function algorithmOf(entry: Uint8Array): number {
  return viewOf(entry).getUint32(154, true);
}
