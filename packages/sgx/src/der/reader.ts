import { DerError } from "./errors.ts";
import { checkOid } from "./oid.ts";
import { DER_TAG } from "./tags.ts";
import { decodeTime } from "./time.ts";

/** What a reader may spend on one input. */
export interface DerBudget {
  /** Containers open at once. */
  readonly depth: number;
  /** Elements read in all, skipped ones included. */
  readonly elements: number;
}

/** Enough for every certificate of the PCK hierarchy: the largest known has about 200 elements, 7 deep. */
export const DER_DEFAULT_BUDGET: DerBudget = { depth: 16, elements: 2000 };

/**
 * A cursor over one DER value (X.690 §10, §11): definite lengths in their shortest form, single-byte tags, no bytes
 * left over. Nothing is copied; byte results are views of the input. Every method throws {@link DerError}.
 */
export class DerReader {
  /** Content range of the element read last. */
  start = 0;
  stop = 0;
  /** Offset of the identifier octet of the element read last. */
  header = 0;

  /** The whole input, for those who keep offsets instead of views: a view costs as much as reading three elements. */
  readonly bytes: Uint8Array;
  readonly #ends: Int32Array;
  readonly #budget: DerBudget;
  #at = 0;
  #end: number;
  #depth = 0;
  #elements = 0;

  constructor(bytes: Uint8Array, budget: DerBudget = DER_DEFAULT_BUDGET) {
    this.bytes = bytes;
    this.#end = bytes.length;
    this.#budget = budget;
    this.#ends = new Int32Array(budget.depth);
  }

  /** Whether the open container has no further element. */
  get done(): boolean {
    return this.#at === this.#end;
  }

  /** Identifier octet of the next element, -1 at the end of the container. */
  peek(): number {
    return this.#at < this.#end ? (this.bytes[this.#at] as number) : -1;
  }

  /** Reads the header of the next element, whatever its tag, and moves past it. */
  #next(): number {
    const bytes = this.bytes;
    const end = this.#end;
    let at = this.#at;
    this.header = at;
    if (++this.#elements > this.#budget.elements) {
      throw new DerError("DER_BUDGET", at, `more than ${this.#budget.elements} elements`);
    }
    if (at + 2 > end) throw new DerError("DER_TRUNCATED", at, "an element is missing or cut in its header");
    const tag = bytes[at] as number;
    if ((tag & 0x1f) === 0x1f) throw new DerError("DER_TAG", at, "tags above 30 are not used here");
    let length = bytes[at + 1] as number;
    at += 2;
    if (length >= 0x80) {
      const count = length & 0x7f;
      if (count === 0) throw new DerError("DER_LENGTH", at - 1, "an indefinite length");
      if (count > 4) throw new DerError("DER_LENGTH", at - 1, `a length of ${count} bytes`);
      if (at + count > end) throw new DerError("DER_TRUNCATED", at - 1, "an element is cut in its length");
      length = 0;
      for (let i = 0; i < count; i++) length = length * 256 + (bytes[at + i] as number);
      if (length < 0x80 || bytes[at] === 0) throw new DerError("DER_LENGTH", at - 1, "a length longer than needed");
      at += count;
    }
    if (length > end - at) throw new DerError("DER_TRUNCATED", this.header, "an element ends outside its container");
    this.start = at;
    this.stop = at + length;
    this.#at = at + length;
    return tag;
  }

  /** Reads an element that must have this tag; its content is `start` to `stop`. */
  element(tag: number): void {
    const found = this.#next();
    if (found !== tag) {
      this.#at = this.header;
      throw new DerError("DER_TAG", this.header, `expected tag 0x${tag.toString(16)}, found 0x${found.toString(16)}`);
    }
  }

  /** Enters a constructed element of this tag. */
  open(tag: number): void {
    this.element(tag);
    if (this.#depth === this.#ends.length) throw new DerError("DER_DEPTH", this.header, "nested too deeply");
    this.#ends[this.#depth++] = this.#end;
    this.#end = this.stop;
    this.#at = this.start;
  }

  /** Leaves the container entered last; all of it must have been read. */
  close(): void {
    if (this.#at !== this.#end) throw new DerError("DER_TRAILING", this.#at, "unexpected bytes in a container");
    this.#depth--;
    this.#end = this.#ends[this.#depth] as number;
  }

  /** Requires that the whole input was read. */
  finish(): void {
    if (this.#depth !== 0 || this.#at !== this.bytes.length) {
      throw new DerError("DER_TRAILING", this.#at, `${this.bytes.length - this.#at} bytes after the value`);
    }
  }

  /** Reads one element of any tag, checking what it contains if it is constructed. Returns its identifier octet. */
  skip(): number {
    const tag = this.#next();
    if ((tag & 0x20) === 0) return tag;
    const { header, start, stop } = this;
    const [end, depth] = [this.#end, this.#depth];
    let limit = stop;
    this.#at = start;
    this.#end = stop;
    // A stack of ends instead of recursion: depth is bounded by the budget, not by the engine's stack.
    const ends: number[] = [];
    for (;;) {
      while (this.#at === limit && ends.length > 0) limit = ends.pop() as number;
      if (this.#at === limit) break;
      this.#end = limit;
      if ((this.#next() & 0x20) !== 0) {
        if (depth + ends.length + 1 >= this.#budget.depth)
          throw new DerError("DER_DEPTH", this.header, "nested too deeply");
        ends.push(limit);
        limit = this.stop;
        this.#at = this.start;
      }
    }
    this.#at = stop;
    this.#end = end;
    this.header = header;
    this.start = start;
    this.stop = stop;
    return tag;
  }

  /** View of the content of the element read last. */
  content(): Uint8Array {
    return this.bytes.subarray(this.start, this.stop);
  }

  /** View of header and content of the element read last. */
  encoded(): Uint8Array {
    return this.bytes.subarray(this.header, this.stop);
  }

  /** View of everything from an offset (such as an earlier `header`) to the end of the element read or left last. */
  since(offset: number): Uint8Array {
    return this.bytes.subarray(offset, this.#at);
  }

  octetString(): Uint8Array {
    this.element(DER_TAG.OCTET_STRING);
    return this.content();
  }

  /** A BIT STRING of whole bytes, without its leading count of unused bits. */
  bitString(): Uint8Array {
    this.element(DER_TAG.BIT_STRING);
    if (this.start === this.stop || this.bytes[this.start] !== 0) {
      throw new DerError("DER_BIT_STRING", this.header, "a BIT STRING with unused bits");
    }
    return this.bytes.subarray(this.start + 1, this.stop);
  }

  boolean(): boolean {
    this.element(DER_TAG.BOOLEAN);
    const value = this.bytes[this.start] as number;
    if (this.stop - this.start !== 1 || (value !== 0 && value !== 0xff)) {
      throw new DerError("DER_BOOLEAN", this.header, "a BOOLEAN is not 00 or FF");
    }
    return value === 0xff;
  }

  null(): void {
    this.element(DER_TAG.NULL);
    if (this.start !== this.stop) throw new DerError("DER_NULL", this.header, "a NULL has content");
  }

  /** Two's complement content of an INTEGER in its shortest form. */
  integer(tag: number = DER_TAG.INTEGER): Uint8Array {
    this.element(tag);
    this.#checkInteger();
    return this.content();
  }

  #checkInteger(): void {
    const { start, stop } = this;
    if (start === stop) throw new DerError("DER_INTEGER", this.header, "an INTEGER without content");
    if (stop - start > 1) {
      const first = this.bytes[start] as number;
      const negative = ((this.bytes[start + 1] as number) & 0x80) !== 0;
      if ((first === 0 && !negative) || (first === 0xff && negative)) {
        throw new DerError("DER_INTEGER", this.header, "an INTEGER is longer than needed");
      }
    }
  }

  /** An INTEGER (or ENUMERATED, with its tag) of at most 6 bytes, sign included. */
  smallInteger(tag: number = DER_TAG.INTEGER): number {
    const value = this.integerIfSmall(tag);
    if (value === undefined) throw new DerError("DER_INTEGER", this.header, "an INTEGER is too large");
    return value;
  }

  /** The same, or undefined if it has more than 6 bytes; `content` has them then. */
  integerIfSmall(tag: number = DER_TAG.INTEGER): number | undefined {
    this.element(tag);
    this.#checkInteger();
    const { start, stop } = this;
    if (stop - start > 6) return undefined;
    const bytes = this.bytes;
    let value = ((bytes[start] as number) << 24) >> 24;
    for (let i = start + 1; i < stop; i++) value = value * 256 + (bytes[i] as number);
    return value;
  }

  /** Reads an OBJECT IDENTIFIER; its content is `start` to `stop`. */
  skipOid(): void {
    this.element(DER_TAG.OID);
    checkOid(this.bytes, this.start, this.stop);
  }

  /** Content of an OBJECT IDENTIFIER; `oidToText` spells it. */
  oid(): Uint8Array {
    this.skipOid();
    return this.content();
  }

  /** Reads an OBJECT IDENTIFIER and tells whether its content is this one. */
  oidIs(content: Uint8Array): boolean {
    this.skipOid();
    return this.stop - this.start === content.length && this.#startsWith(content);
  }

  /**
   * Reads an OBJECT IDENTIFIER that continues `prefix` by one arc, or by two, of less than 128 each: the arc, or the
   * first times 256 plus the second. Zero for any other identifier.
   */
  oidAfter(prefix: Uint8Array): number {
    this.skipOid();
    const extra = this.stop - this.start - prefix.length;
    if ((extra !== 1 && extra !== 2) || !this.#startsWith(prefix)) return 0;
    const first = this.bytes[this.start + prefix.length] as number;
    if (extra === 1) return first;
    return first < 0x80 ? first * 256 + (this.bytes[this.stop - 1] as number) : 0;
  }

  #startsWith(content: Uint8Array): boolean {
    const bytes = this.bytes;
    const { start } = this;
    for (let i = 0; i < content.length; i++) if (bytes[start + i] !== content[i]) return false;
    return true;
  }

  /** A UTCTime or GeneralizedTime as seconds since 1970. */
  time(): number {
    const generalized = this.peek() === DER_TAG.GENERALIZED_TIME;
    this.element(generalized ? DER_TAG.GENERALIZED_TIME : DER_TAG.UTC_TIME);
    return decodeTime(this.bytes, this.start, this.stop, generalized);
  }
}
