const textDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Bytes that are not the CBOR item asked for. It never leaves this folder's readers. */
export class CborError extends Error {}

/** Major types (RFC 8949 §3.1). */
export const CBOR_MAJOR = { UINT: 0, BYTES: 2, TEXT: 3, ARRAY: 4, MAP: 5, TAG: 6 } as const;

/**
 * A cursor over CBOR (RFC 8949), as far as attestation evidence needs it: unsigned integers, byte and text strings,
 * arrays, maps and tags, all of definite length and with lengths in their shortest form. Nothing is copied; byte results
 * are views of the input. Every method throws {@link CborError}.
 */
export class CborReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Major type of the next item; -1 at the end. */
  peek(): number {
    return this.#at < this.#bytes.length ? (this.#bytes[this.#at] as number) >> 5 : -1;
  }

  /** The argument of an item that must be of this major type. */
  #head(major: number): number {
    const at = this.#at;
    if (this.peek() !== major) throw new CborError(`major type ${major} expected at byte ${at}, found ${this.peek()}`);
    const info = (this.#bytes[at] as number) & 0x1f;
    if (info < 24) {
      this.#at = at + 1;
      return info;
    }
    if (info > 27) throw new CborError(`an indefinite or reserved length at byte ${at}`);
    const size = 1 << (info - 24);
    if (at + 1 + size > this.#bytes.length) throw new CborError(`an item is cut at byte ${at}`);
    let value = 0;
    for (let i = 1; i <= size; i++) value = value * 256 + (this.#bytes[at + i] as number);
    if (value > Number.MAX_SAFE_INTEGER) throw new CborError(`a number at byte ${at} is too large`);
    const smallest = size === 1 ? 24 : 2 ** ((size / 2) * 8);
    if (value < smallest) throw new CborError(`a number at byte ${at} is longer than needed`);
    this.#at = at + 1 + size;
    return value;
  }

  #string(major: number): Uint8Array {
    const size = this.#head(major);
    const start = this.#at;
    if (size > this.#bytes.length - start) throw new CborError(`a string at byte ${start} is cut`);
    this.#at = start + size;
    return this.#bytes.subarray(start, this.#at);
  }

  uint(): number {
    return this.#head(CBOR_MAJOR.UINT);
  }

  bytes(): Uint8Array {
    return this.#string(CBOR_MAJOR.BYTES);
  }

  text(): string {
    try {
      return textDecoder.decode(this.#string(CBOR_MAJOR.TEXT));
    } catch (error) {
      throw error instanceof CborError ? error : new CborError(`a text before byte ${this.#at} is not UTF-8`);
    }
  }

  /** Enters an array; its number of items. */
  array(): number {
    return this.#head(CBOR_MAJOR.ARRAY);
  }

  /** Enters a map; its number of pairs. */
  map(): number {
    return this.#head(CBOR_MAJOR.MAP);
  }

  /** Enters a tag; its number. */
  tag(): number {
    return this.#head(CBOR_MAJOR.TAG);
  }

  /** Requires that the whole input was read. */
  finish(): void {
    const rest = this.#bytes.length - this.#at;
    if (rest !== 0) throw new CborError(`${rest} bytes after the item`);
  }
}
