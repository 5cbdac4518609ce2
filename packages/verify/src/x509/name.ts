import { bytesEqual, toHex } from "@confcom/sgx";
import { DER_TAG, DerReader, oidToText } from "@confcom/sgx/der";

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

interface Attribute {
  /** Content bytes of the attribute type's identifier. */
  readonly type: Uint8Array;
  readonly tag: number;
  readonly content: Uint8Array;
  readonly encoded: Uint8Array;
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode.apply(null, bytes as unknown as number[]);
}

function isAscii(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if ((bytes[i] as number) >= 0x80) return false;
  return true;
}

/** The value if its string type and bytes make it one. */
function decodeString({ tag, content }: Attribute): string | undefined {
  if (content.length > 1000) return undefined;
  switch (tag) {
    case DER_TAG.UTF8_STRING:
      if (isAscii(content)) return latin1(content);
      try {
        return utf8.decode(content);
      } catch {
        return undefined;
      }
    case DER_TAG.NUMERIC_STRING:
    case DER_TAG.PRINTABLE_STRING:
    case DER_TAG.TELETEX_STRING:
    case DER_TAG.IA5_STRING:
    case DER_TAG.VISIBLE_STRING:
      return latin1(content);
    default:
      return undefined;
  }
}

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
  #attributes: Attribute[][] | undefined;
  readonly #values = new Map<number, string>();
  #text: string | undefined;

  /** `encoded` has been walked by a {@link DerReader}: a SEQUENCE of SETs of attributes. */
  constructor(encoded: Uint8Array) {
    this.encoded = encoded;
  }

  #relative(): Attribute[][] {
    if (this.#attributes !== undefined) return this.#attributes;
    const relative: Attribute[][] = [];
    const reader = new DerReader(this.encoded);
    reader.open(DER_TAG.SEQUENCE);
    while (!reader.done) {
      const attributes: Attribute[] = [];
      reader.open(DER_TAG.SET);
      while (!reader.done) {
        reader.open(DER_TAG.SEQUENCE);
        const type = reader.oid();
        const tag = reader.skip();
        attributes.push({ type, tag, content: reader.content(), encoded: reader.encoded() });
        reader.close();
      }
      reader.close();
      relative.push(attributes);
    }
    reader.close();
    this.#attributes = relative;
    return relative;
  }

  /** Value of the first attribute 2.5.4.`type`; empty if there is none or it is not readable as text. */
  #get(type: number): string {
    let value = this.#values.get(type);
    if (value === undefined) {
      value = this.#find(type);
      this.#values.set(type, value);
    }
    return value;
  }

  #find(type: number): string {
    for (const attributes of this.#relative()) {
      for (const attribute of attributes) {
        const oid = attribute.type;
        if (oid.length !== 3 || oid[0] !== 0x55 || oid[1] !== 4 || oid[2] !== type) continue;
        // OpenSSL's conversion of the older string types beyond ASCII changes their length, which counts as a failure.
        if (attribute.tag !== DER_TAG.UTF8_STRING && !isAscii(attribute.content)) return "";
        return decodeString(attribute) ?? "";
      }
    }
    return "";
  }

  get commonName(): string {
    return this.#get(3);
  }

  get organization(): string {
    return this.#get(10);
  }

  /** The name in the order and escaping of RFC 2253. */
  get text(): string {
    this.#text ??= [...this.#relative()]
      .reverse()
      .map((attributes) => [...attributes].reverse().map(printAttribute).join("+"))
      .join(",");
    return this.#text;
  }

  equals(other: DistinguishedName): boolean {
    if (this === other || bytesEqual(this.encoded, other.encoded)) return true;
    return COMPARED.every((type) => this.#get(type) === other.#get(type));
  }

  /** Whether both print the same: what a CRL's issuer must do with its CA's subject. */
  printsLike(other: DistinguishedName): boolean {
    return bytesEqual(this.encoded, other.encoded) || (this.text === other.text && this.equals(other));
  }
}

/** Common name, country, organization, locality, state: 2.5.4.n. */
const COMPARED = [3, 6, 10, 7, 8] as const;

function printAttribute(attribute: Attribute): string {
  const type = oidToText(attribute.type);
  const name = SHORT_NAMES[type];
  const value = decodeString(attribute);
  if (name === undefined || value === undefined) return `${name ?? type}=#${toHex(attribute.encoded)}`;
  return `${name}=${escapeValue(value)}`;
}
