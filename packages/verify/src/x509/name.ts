import { bytesEqual, toHex } from "@confcom/sgx";
import { DER_TAG, type DerReader, oidToText } from "@confcom/sgx/der";

/** The attribute types that the certificate profile uses, by the short names of RFC 4514 (spec: DCAP §8). */
const SHORT_NAMES: Readonly<Record<string, string>> = {
  "2.5.4.3": "CN",
  "2.5.4.4": "SN",
  "2.5.4.5": "serialNumber",
  "2.5.4.6": "C",
  "2.5.4.7": "L",
  "2.5.4.8": "ST",
  "2.5.4.9": "street",
  "2.5.4.10": "O",
  "2.5.4.11": "OU",
  "2.5.4.12": "title",
  "0.9.2342.19200300.100.1.25": "DC",
  "1.2.840.113549.1.9.1": "emailAddress",
};

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
/** One character for one byte; which character is certain for ASCII only (the label means windows-1252). */
const bytewise = new TextDecoder("latin1");

/** Short names of 2.5.4.n by n, for the identifiers that nearly every attribute has. */
const SHORT_NAMES_2_5_4: readonly (string | undefined)[] = Array.from(
  { length: 13 },
  (_, n) => SHORT_NAMES[`2.5.4.${n}`],
);

/** One attribute of a name: offsets into the name's DER. */
interface Attribute {
  /** Position of its SET in the name. */
  readonly set: number;
  readonly typeStart: number;
  readonly typeStop: number;
  readonly tag: number;
  /** The value with its header starts here. */
  readonly header: number;
  readonly start: number;
  readonly stop: number;
}

/** Where the content of the element at `at` starts. Its header has been checked before. */
function contentStart(der: Uint8Array, at: number): number {
  const first = der[at + 1] as number;
  return first < 0x80 ? at + 2 : at + 2 + (first & 0x7f);
}

function contentStop(der: Uint8Array, at: number, start: number): number {
  const first = der[at + 1] as number;
  if (first < 0x80) return start + first;
  let length = 0;
  for (let i = at + 2; i < start; i++) length = length * 256 + (der[i] as number);
  return start + length;
}

/** The attributes of a name that a {@link DerReader} has walked: nothing is checked again. */
function readAttributes(der: Uint8Array): Attribute[] {
  const attributes: Attribute[] = [];
  const end = der.length;
  let at = contentStart(der, 0);
  for (let set = 0; at < end; set++) {
    const setStart = contentStart(der, at);
    const setStop = contentStop(der, at, setStart);
    at = setStart;
    while (at < setStop) {
      const type = contentStart(der, at);
      const typeStart = contentStart(der, type);
      const header = contentStop(der, type, typeStart);
      const start = contentStart(der, header);
      const stop = contentStop(der, header, start);
      attributes.push({ set, typeStart, typeStop: header, tag: der[header] as number, header, start, stop });
      at = stop;
    }
  }
  return attributes;
}

/** The n of 2.5.4.n, -1 for every other identifier. */
function attributeArc(der: Uint8Array, { typeStart, typeStop }: Attribute): number {
  return typeStop - typeStart === 3 && der[typeStart] === 0x55 && der[typeStart + 1] === 4
    ? (der[typeStart + 2] as number)
    : -1;
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode.apply(null, bytes as unknown as number[]);
}

function isAscii(bytes: Uint8Array, start: number, stop: number): boolean {
  for (let i = start; i < stop; i++) if ((bytes[i] as number) >= 0x80) return false;
  return true;
}

function isString(tag: number): boolean {
  switch (tag) {
    case DER_TAG.UTF8_STRING:
    case DER_TAG.NUMERIC_STRING:
    case DER_TAG.PRINTABLE_STRING:
    case DER_TAG.TELETEX_STRING:
    case DER_TAG.IA5_STRING:
    case DER_TAG.VISIBLE_STRING:
      return true;
    default:
      return false;
  }
}

/** Printable ASCII without what is escaped: no blank at either end, no number sign at the start. */
const PLAIN = /^[!$-*.-:=?-[\]-~-](?:[ !#-*.-:=?-[\]-~-]*[!#-*.-:=?-[\]-~-])?$/;

function escapeValue(value: string): string {
  let out = "";
  for (let i = 0; i < value.length; i++) {
    const character = value[i] as string;
    const code = value.charCodeAt(i);
    if (',+"\\<>;'.includes(character) || (character === "#" && i === 0)) out += `\\${character}`;
    else if (character === " " && (i === 0 || i === value.length - 1)) out += "\\ ";
    else if (code < 32 || code === 127) out += `\\${code.toString(16).toUpperCase().padStart(2, "0")}`;
    else out += character;
  }
  return out;
}

/**
 * A distinguished name. Names are compared as the reference verifier does: equal if common name, country, organization,
 * locality and state are, in any order; for CRLs the whole printed name counts (spec: DCAP §10 B, §16).
 */
export class DistinguishedName {
  /** The name's DER. */
  readonly encoded: Uint8Array;
  #attributes: Attribute[] | undefined;
  /** The DER with a character for each byte: parts that are ASCII are cut out of it. */
  #characters: string | undefined;
  #commonName: string | undefined;
  #text: string | undefined;

  /** `encoded` has been walked by a {@link DerReader}: a SEQUENCE of SETs of attributes. */
  constructor(encoded: Uint8Array) {
    this.encoded = encoded;
  }

  /** The value if its string type and bytes make it one. */
  #decode({ tag, start, stop }: Attribute): string | undefined {
    if (!isString(tag) || stop - start > 1000) return undefined;
    if (isAscii(this.encoded, start, stop)) {
      this.#characters ??= bytewise.decode(this.encoded);
      return this.#characters.slice(start, stop);
    }
    const content = this.encoded.subarray(start, stop);
    if (tag !== DER_TAG.UTF8_STRING) return latin1(content);
    try {
      return utf8.decode(content);
    } catch {
      return undefined;
    }
  }

  /** Value of the first attribute 2.5.4.`type`; empty if there is none or it is not readable as text. */
  #get(type: number): string {
    this.#attributes ??= readAttributes(this.encoded);
    for (const attribute of this.#attributes) {
      if (attributeArc(this.encoded, attribute) !== type) continue;
      // OpenSSL's conversion of the older string types beyond ASCII changes their length, which counts as a failure.
      const { tag, start, stop } = attribute;
      if (tag !== DER_TAG.UTF8_STRING && !isAscii(this.encoded, start, stop)) return "";
      return this.#decode(attribute) ?? "";
    }
    return "";
  }

  get commonName(): string {
    this.#commonName ??= this.#get(3);
    return this.#commonName;
  }

  get organization(): string {
    return this.#get(10);
  }

  /** The name in the order and escaping of RFC 2253. */
  get text(): string {
    this.#text ??= this.#print();
    return this.#text;
  }

  #print(): string {
    this.#attributes ??= readAttributes(this.encoded);
    const attributes = this.#attributes;
    let text = "";
    for (let i = attributes.length - 1; i >= 0; i--) {
      const attribute = attributes[i] as Attribute;
      text += this.#printAttribute(attribute);
      if (i > 0) text += (attributes[i - 1] as Attribute).set === attribute.set ? "+" : ",";
    }
    return text;
  }

  #printAttribute(attribute: Attribute): string {
    const { typeStart, typeStop, header, stop } = attribute;
    const arc = attributeArc(this.encoded, attribute);
    const type = arc >= 0 ? "" : oidToText(this.encoded.subarray(typeStart, typeStop));
    const name = arc >= 0 ? SHORT_NAMES_2_5_4[arc] : SHORT_NAMES[type];
    const value = this.#decode(attribute);
    if (name === undefined || value === undefined) {
      return `${name ?? (type || `2.5.4.${arc}`)}=#${toHex(this.encoded.subarray(header, stop))}`;
    }
    return `${name}=${PLAIN.test(value) ? value : escapeValue(value)}`;
  }

  equals(other: DistinguishedName): boolean {
    if (this === other || bytesEqual(this.encoded, other.encoded)) return true;
    return this.commonName === other.commonName && COMPARED.every((type) => this.#get(type) === other.#get(type));
  }

  /** Whether both print the same: what a CRL's issuer must do with its CA's subject. */
  printsLike(other: DistinguishedName): boolean {
    return bytesEqual(this.encoded, other.encoded) || (this.text === other.text && this.equals(other));
  }
}

/** Beside the common name: country, organization, locality, state: 2.5.4.n. */
const COMPARED = [6, 10, 7, 8] as const;
