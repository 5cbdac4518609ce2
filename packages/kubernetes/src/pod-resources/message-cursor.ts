/**
 * Steps through the fields of one protobuf message without making an object of each: an answer of the kubelet has a
 * message of some 50 bytes for every EPC device that is held. Throws an Error where the bytes end too early.
 */
export class MessageCursor {
  readonly bytes: Uint8Array;
  /** Number of the field that {@link next} found. */
  field = 0;
  /** Where its content is, for a length-delimited field; elsewhere both are equal. */
  start = 0;
  end = 0;
  #at: number;
  #limit: number;

  constructor(bytes: Uint8Array, start = 0, end: number = bytes.length) {
    this.bytes = bytes;
    this.#at = start;
    this.#limit = end;
  }

  /** Goes on with another message in the same bytes. */
  enter(start: number, end: number): void {
    this.#at = start;
    this.#limit = end;
  }

  /** Finds the next field; false at the end of the message. */
  next(): boolean {
    if (this.#at >= this.#limit) return false;
    const tag = this.#varint();
    this.field = tag >>> 3;
    const type = tag & 7;
    if (type === 2) {
      const length = this.#varint();
      this.start = this.#at;
      this.#skip(length);
      this.end = this.#at;
      return true;
    }
    if (type === 0) this.#varint();
    else if (type === 1) this.#skip(8);
    else if (type === 5) this.#skip(4);
    else throw new Error(`wire type ${type} at byte ${this.#at}`);
    this.start = this.#at;
    this.end = this.#at;
    return true;
  }

  text(): string {
    const { bytes, start, end } = this;
    // Device ids have a few ASCII characters: a call into the runtime for each costs more than the rest of the work.
    let short = "";
    for (let at = start; end - start <= 4; at++) {
      if (at === end) return short;
      const byte = bytes[at] as number;
      if (byte > 0x7f) break;
      short += String.fromCharCode(byte);
    }
    return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("utf8");
  }

  /** Whether the field's content is these bytes. */
  is(expected: Uint8Array): boolean {
    if (this.end - this.start !== expected.length) return false;
    for (let i = 0; i < expected.length; i++) if (this.bytes[this.start + i] !== expected[i]) return false;
    return true;
  }

  #skip(length: number): void {
    if (length > this.#limit - this.#at)
      throw new Error(`a field of ${length} bytes at ${this.#at} ends after its message`);
    this.#at += length;
  }

  /** The value where it has at most 32 bits; of longer numbers, which are skipped only, what fits a double. */
  #varint(): number {
    const first = this.#byte();
    if (first < 0x80) return first;
    let value = first & 0x7f;
    for (let weight = 0x80, i = 1; i < 10; weight *= 0x80, i++) {
      const byte = this.#byte();
      value += (byte & 0x7f) * weight;
      if (byte < 0x80) return value;
    }
    throw new Error(`a number of more than 10 bytes at ${this.#at}`);
  }

  #byte(): number {
    if (this.#at >= this.#limit) throw new Error(`the message ends within a number at byte ${this.#at}`);
    return this.bytes[this.#at++] as number;
  }
}
