import { type DecodeTable, FIELD_LIMIT, KIND_BYTES, KIND_VARINT } from "./fields.ts";
import { DISPATCH_ORDER, OPERATION_LIMIT } from "./operations.ts";

/** Groups nested deeper than this are refused, as protobuf's own limit has it. */
const MAX_GROUP_DEPTH = 100;
/** Protobuf refuses a length at or above 2^31 - 16. */
const MAX_LENGTH = 0x7fffffff - 16;

const RANK: Uint8Array = (() => {
  const rank = new Uint8Array(OPERATION_LIMIT);
  DISPATCH_ORDER.forEach((operation, i) => {
    rank[operation] = i;
  });
  return rank;
})();

/**
 * Reads one Request or Response body into reused slots, without allocating: the fields of the sub-message that is
 * answered lie in `present`, `low`/`high` (varints), `start`/`length` (bytes), by field number.
 *
 * It follows what Intel's generated parser does with damaged input, because its service answers without looking at the
 * parse result (spec: AESM §3.1): whatever was recognised before the first error counts, a sub-message or field counts
 * from its tag on, bytes missing at the end read as zero, a repeated sub-message merges into the first, and a bytes field
 * may run over the end of its sub-message (but never of the body) before that is noticed. `malformed` says that there was
 * an error; a client refuses then, the server does not care.
 */
export class MessageDecoder {
  /** Number of the sub-message to answer, 0 if none was recognised. */
  operation = 0;
  /** True after the first thing that no correct peer writes. */
  malformed = false;
  /** Bit n is set when field n of the sub-message is present. */
  present = 0;
  readonly low = new Uint32Array(FIELD_LIMIT);
  readonly high = new Uint32Array(FIELD_LIMIT);
  readonly start = new Uint32Array(FIELD_LIMIT);
  readonly length = new Uint32Array(FIELD_LIMIT);

  readonly #table: DecodeTable;
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #end = 0;
  #varintLow = 0;
  #varintHigh = 0;

  constructor(table: DecodeTable) {
    this.#table = table;
  }

  /** Whether every required field of the recognised sub-message is present. */
  get complete(): boolean {
    const required = this.#table.required[this.operation] as number;
    return (this.present & required) === required;
  }

  has(field: number): boolean {
    return (this.present & (1 << field)) !== 0;
  }

  /** Decodes `bytes[start, end)`; offsets in the slots are offsets into `bytes`. Never throws. Returns the operation. */
  decode(bytes: Uint8Array, start: number, end: number): number {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    this.operation = 0;
    this.present = 0;
    this.malformed = false;
    while (this.#at < end && !this.malformed) {
      const tag = this.#readTag();
      if (this.malformed) break;
      const kinds = (tag & 7) === 2 ? this.#table.kinds[tag >>> 3] : undefined;
      if (kinds === undefined) this.#skip(tag, 0);
      else this.#readSubMessage(tag >>> 3, kinds);
    }
    return this.operation;
  }

  #readSubMessage(number: number, kinds: Uint8Array): void {
    let store = true;
    if (number !== this.operation) {
      if (this.operation !== 0 && (RANK[number] as number) > (RANK[this.operation] as number)) store = false;
      else {
        this.operation = number;
        this.present = 0;
      }
    }
    const length = this.#readLength();
    if (this.malformed) return;
    const limit = Math.min(this.#at + length, this.#end);
    const truncated = this.#at + length > this.#end;
    while (this.#at < limit && !this.malformed) this.#readField(kinds, store);
    if (truncated || this.#at !== limit) this.malformed = true;
  }

  #readField(kinds: Uint8Array, store: boolean): void {
    const tag = this.#readTag();
    if (this.malformed) return;
    const field = tag >>> 3;
    const kind = field < FIELD_LIMIT ? (kinds[field] as number) : 0;
    if (kind === KIND_BYTES && (tag & 7) === 2) {
      const length = this.#readLength();
      const available = this.malformed ? 0 : Math.min(length, this.#end - this.#at);
      if (store) {
        this.present |= 1 << field;
        this.start[field] = this.#at;
        this.length[field] = available;
      }
      if (available < length) this.malformed = true;
      this.#at += available;
    } else if (kind === KIND_VARINT && (tag & 7) === 0) {
      this.#readVarint();
      if (store) {
        this.present |= 1 << field;
        this.low[field] = this.#varintLow;
        this.high[field] = this.#varintHigh;
      }
    } else {
      this.#skip(tag, 0);
    }
  }

  /** A tag of 0 or an end-group outside a group ends the message, and so does a field number of 0. */
  #readTag(): number {
    this.#readVarint();
    const tag = this.#varintLow;
    if (this.#varintHigh !== 0 || tag < 8 || (tag & 7) === 4) this.malformed = true;
    return tag;
  }

  #readLength(): number {
    this.#readVarint();
    if (this.#varintHigh !== 0 || this.#varintLow > MAX_LENGTH) this.malformed = true;
    return this.#varintLow;
  }

  #readVarint(): void {
    const bytes = this.#bytes;
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.#at >= this.#end) {
        this.malformed = true;
        break;
      }
      const byte = bytes[this.#at++] as number;
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else if (shift < 63) high |= bits << (shift - 32);
      else high |= (bits & 1) << 31;
      if (byte < 0x80) break;
      if (shift === 63) this.malformed = true;
    }
    this.#varintLow = low >>> 0;
    this.#varintHigh = high >>> 0;
  }

  #skip(tag: number, depth: number): void {
    const wireType = tag & 7;
    if (wireType === 0) this.#readVarint();
    else if (wireType === 1) this.#advance(8);
    else if (wireType === 2) this.#advance(this.#readLength());
    else if (wireType === 3) this.#skipGroup(tag >>> 3, depth + 1);
    else if (wireType === 5) this.#advance(4);
    else this.malformed = true;
  }

  #advance(count: number): void {
    if (count > this.#end - this.#at) this.malformed = true;
    else this.#at += count;
  }

  #skipGroup(field: number, depth: number): void {
    if (depth > MAX_GROUP_DEPTH) this.malformed = true;
    while (!this.malformed) {
      this.#readVarint();
      const tag = this.#varintLow;
      if (this.malformed || this.#varintHigh !== 0 || tag < 8) break;
      if ((tag & 7) === 4) {
        if (tag >>> 3 !== field) break;
        return;
      }
      this.#skip(tag, depth);
    }
    this.malformed = true;
  }
}
