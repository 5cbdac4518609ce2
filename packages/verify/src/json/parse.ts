import { BUDGETS } from "../budgets.ts";
import { rapidJsonDouble } from "./number.ts";
import { readHex4, writeUtf8 } from "./unicode-escape.ts";
import { JsonDouble, JsonObject, type JsonValue } from "./value.ts";

/** JSON that RapidJSON would not parse, or that goes over the budget. */
export class JsonSyntaxError extends Error {}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
/** One character for one byte; which character is certain for ASCII only (the label means windows-1252). */
const bytewise = new TextDecoder("latin1");
/** What the letter after a backslash stands for, both as bytes. */
const ESCAPES: Readonly<Record<number, number>> = { 34: 34, 92: 92, 47: 47, 98: 8, 102: 12, 110: 10, 114: 13, 116: 9 };

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

/** Where a member's value stands in the text, and whether RapidJSON would write it back byte for byte. */
export interface JsonSpan {
  readonly start: number;
  readonly end: number;
  readonly canonical: boolean;
}

/**
 * A JSON parser over UTF-8 bytes with RapidJSON's default rules (RFC 8259, no extensions, one value, encoding not
 * checked), and bounded in depth and number of values.
 */
export class JsonParser {
  readonly #text: Uint8Array;
  /** The text with a character for each byte: strings that are ASCII are cut out of it. */
  readonly #characters: string;
  #at = 0;
  #values = 0;
  /** Places whose text differs from what RapidJSON writes for them: blanks, escapes, doubles, -0. */
  #deviations = 0;
  /** Spans of the top object's members, first occurrence of each name. */
  readonly spans = new Map<string, JsonSpan>();

  constructor(text: Uint8Array) {
    this.#text = text;
    this.#characters = bytewise.decode(text);
  }

  /** Parses the whole text. Throws {@link JsonSyntaxError}. */
  parse(): JsonValue {
    this.#blanks();
    const value = this.#value(0);
    this.#blanks();
    if (this.#at !== this.#text.length) this.#fail("text after the value");
    return value;
  }

  #fail(what: string): never {
    throw new JsonSyntaxError(`${what} at byte ${this.#at}`);
  }

  #blanks(): void {
    const text = this.#text;
    for (;;) {
      const byte = text[this.#at];
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return;
      this.#at++;
      this.#deviations++;
    }
  }

  #value(depth: number): JsonValue {
    if (++this.#values > BUDGETS.jsonValues) this.#fail("too many values");
    switch (this.#text[this.#at]) {
      case 0x7b:
        return this.#object(depth);
      case 0x5b:
        return this.#array(depth);
      case QUOTE:
        return this.#string();
      case 0x74:
        return this.#word("true", true);
      case 0x66:
        return this.#word("false", false);
      case 0x6e:
        return this.#word("null", null);
      default:
        return this.#number();
    }
  }

  #word<T>(word: string, value: T): T {
    for (let i = 0; i < word.length; i++)
      if (this.#text[this.#at + i] !== word.charCodeAt(i)) this.#fail("unknown word");
    this.#at += word.length;
    return value;
  }

  #object(depth: number): JsonObject {
    if (depth === BUDGETS.jsonDepth) this.#fail("nested too deeply");
    const object = new JsonObject();
    this.#at++;
    this.#blanks();
    if (this.#text[this.#at] === 0x7d) {
      this.#at++;
      return object;
    }
    for (;;) {
      if (this.#text[this.#at] !== QUOTE) this.#fail("a member needs a name");
      const name = this.#string();
      this.#blanks();
      if (this.#text[this.#at] !== 0x3a) this.#fail("a colon is missing");
      this.#at++;
      this.#blanks();
      const start = this.#at;
      const deviations = this.#deviations;
      object.add(name, this.#value(depth + 1));
      if (depth === 0 && !this.spans.has(name)) {
        this.spans.set(name, { start, end: this.#at, canonical: this.#deviations === deviations });
      }
      this.#blanks();
      const byte = this.#text[this.#at++];
      if (byte === 0x7d) return object;
      if (byte !== 0x2c) this.#fail("a comma or brace is missing");
      this.#blanks();
    }
  }

  #array(depth: number): JsonValue[] {
    if (depth === BUDGETS.jsonDepth) this.#fail("nested too deeply");
    const array: JsonValue[] = [];
    this.#at++;
    this.#blanks();
    if (this.#text[this.#at] === 0x5d) {
      this.#at++;
      return array;
    }
    for (;;) {
      array.push(this.#value(depth + 1));
      this.#blanks();
      const byte = this.#text[this.#at++];
      if (byte === 0x5d) return array;
      if (byte !== 0x2c) this.#fail("a comma or bracket is missing");
      this.#blanks();
    }
  }

  #string(): string {
    const text = this.#text;
    const start = ++this.#at;
    let seen = 0;
    for (let at = start; ; at++) {
      const byte = text[at];
      if (byte === undefined || byte < 0x20) {
        this.#at = at;
        return this.#fail("a string is not closed or has a control character");
      }
      if (byte === QUOTE) {
        this.#at = at + 1;
        return seen < 0x80 ? this.#characters.slice(start, at) : utf8.decode(text.subarray(start, at));
      }
      if (byte === BACKSLASH) break;
      seen |= byte;
    }
    this.#deviations++;
    return this.#escapedString(start);
  }

  /** Offset of the quote that closes the string whose content starts here. */
  #closingQuote(start: number): number {
    const text = this.#text;
    for (let at = start; ; at++) {
      const byte = text[at];
      if (byte === undefined || byte < 0x20) {
        this.#at = at;
        return this.#fail("a string is not closed or has a control character");
      }
      if (byte === QUOTE) return at;
      if (byte === BACKSLASH) at++;
    }
  }

  #escapedString(start: number): string {
    const text = this.#text;
    const end = this.#closingQuote(start);
    // No escape is shorter than the UTF-8 of what it stands for.
    const out = new Uint8Array(end - start);
    let size = 0;
    this.#at = start;
    while (this.#at < end) {
      const byte = text[this.#at++] as number;
      if (byte === BACKSLASH) size = this.#escape(out, size);
      else out[size++] = byte;
    }
    this.#at++;
    return utf8.decode(out.subarray(0, size));
  }

  /** Decodes what follows a backslash; returns the new size of the output. */
  #escape(out: Uint8Array, size: number): number {
    const letter = this.#text[this.#at++] as number;
    if (letter === 0x75) return writeUtf8(out, size, this.#codePoint());
    out[size] = ESCAPES[letter] ?? this.#fail("an unknown escape");
    return size + 1;
  }

  #codePoint(): number {
    const high = this.#hex4();
    if (high < 0xd800 || high > 0xdfff) return high;
    if (high > 0xdbff || this.#text[this.#at] !== BACKSLASH || this.#text[this.#at + 1] !== 0x75)
      this.#fail("half a surrogate pair");
    this.#at += 2;
    const low = this.#hex4();
    if (low < 0xdc00 || low > 0xdfff) this.#fail("half a surrogate pair");
    return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
  }

  #hex4(): number {
    const value = readHex4(this.#text, this.#at);
    if (value < 0) this.#fail("a malformed \\u escape");
    this.#at += 4;
    return value;
  }

  #number(): number | JsonDouble {
    const text = this.#text;
    const start = this.#at;
    if (text[this.#at] === 0x2d) this.#at++;
    const first = this.#at;
    if (!isDigit(text[first])) this.#fail("a value is missing");
    while (isDigit(text[this.#at])) this.#at++;
    if (text[first] === 0x30 && this.#at > first + 1) this.#fail("a number has a leading zero");
    const digits = this.#at - first;
    let plain = true;
    if (text[this.#at] === 0x2e) {
      plain = false;
      this.#at++;
      if (!isDigit(text[this.#at])) this.#fail("a fraction is missing");
      while (isDigit(text[this.#at])) this.#at++;
    }
    if (text[this.#at] === 0x65 || text[this.#at] === 0x45) {
      plain = false;
      this.#at++;
      if (text[this.#at] === 0x2b || text[this.#at] === 0x2d) this.#at++;
      if (!isDigit(text[this.#at])) this.#fail("an exponent is missing");
      while (isDigit(text[this.#at])) this.#at++;
    }
    if (plain && digits <= 15) {
      let value = 0;
      for (let i = first; i < this.#at; i++) value = value * 10 + (text[i] as number) - 0x30;
      if (start === first) return value;
      if (value === 0) this.#deviations++;
      return -value + 0;
    }
    if (this.#at - start > 2000) this.#fail("a number is too long");
    return this.#large(String.fromCharCode.apply(null, text.subarray(start, this.#at) as unknown as number[]), plain);
  }

  #large(token: string, plain: boolean): number | JsonDouble {
    if (plain) {
      const exact = BigInt(token);
      if (exact >= -(1n << 63n) && exact < 1n << 64n) return Number(exact);
    }
    this.#deviations++;
    const value = rapidJsonDouble(token);
    return value === undefined ? this.#fail("a number is too big") : new JsonDouble(value);
  }
}
