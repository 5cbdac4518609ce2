import { concatBytes } from "@confcom/sgx";
import { DER_TAG, derElement, derInteger, derOid } from "@confcom/sgx/der";
import type { Random } from "../random.ts";
import { mutateBytes } from "./bytes.ts";

/** One element of valid DER, with what is inside it: also in the OCTET STRING of an extension. */
export interface DerNode {
  readonly tag: number;
  readonly encoded: Uint8Array;
  readonly content: Uint8Array;
  readonly parent: DerNode | undefined;
  readonly children: readonly DerNode[];
}

function header(bytes: Uint8Array, at: number): { start: number; end: number } | undefined {
  let length = bytes[at + 1] ?? 0x80;
  let start = at + 2;
  if (length >= 0x80) {
    const count = length & 0x7f;
    if (count === 0 || count > 3) return undefined;
    length = 0;
    for (let i = 0; i < count; i++) length = length * 256 + (bytes[start++] ?? 0);
  }
  return start + length > bytes.length ? undefined : { start, end: start + length };
}

function readNodes(bytes: Uint8Array, parent: DerNode | undefined): DerNode[] | undefined {
  const nodes: DerNode[] = [];
  for (let at = 0; at < bytes.length; ) {
    const place = header(bytes, at);
    if (place === undefined) return undefined;
    const tag = bytes[at] as number;
    const children: DerNode[] = [];
    const content = bytes.subarray(place.start, place.end);
    const node: DerNode = { tag, encoded: bytes.subarray(at, place.end), content, parent, children };
    const inside = (tag & 0x20) !== 0 || (tag === DER_TAG.OCTET_STRING && (content[0] === 0x30 || content[0] === 4));
    if (inside) children.push(...(readNodes(content, node) ?? []));
    nodes.push(node);
    at = place.end;
  }
  return nodes;
}

/** Every element of valid DER, from the outside in. */
export function derNodes(bytes: Uint8Array): DerNode[] {
  const all: DerNode[] = [];
  const add = (node: DerNode) => {
    all.push(node);
    node.children.forEach(add);
  };
  readNodes(bytes, undefined)?.forEach(add);
  return all;
}

/** The whole value with one element replaced by any bytes, all lengths around it put right. */
export function replaceNode(node: DerNode, replacement: Uint8Array): Uint8Array {
  const { parent } = node;
  if (parent === undefined) return replacement;
  const inside = parent.children.map((child) => (child === node ? replacement : child.encoded));
  return replaceNode(parent, derElement(parent.tag, ...inside));
}

const TAGS = [...Object.values(DER_TAG), 0xa0, 0xa1, 0xa3, 0x80, 0x81, 0x82, 0x1f, 0x3f, 0x00, 0x24, 0x23];

const INTEGERS: readonly bigint[] = [
  0n,
  1n,
  -1n,
  5n,
  127n,
  128n,
  255n,
  256n,
  257n,
  65535n,
  65536n,
  -128n,
  -129n,
  1n << 31n,
  1n << 32n,
  (1n << 48n) - 1n,
  (1n << 53n) + 1n,
  1n << 63n,
  1n << 64n,
  1n << 159n,
  1n << 512n,
  1n << 600n,
];

const OIDS = [
  "1.2.840.10045.4.3.2",
  "1.2.840.10045.4.3.3",
  "1.2.840.10045.2.1",
  "1.2.840.10045.3.1.7",
  "1.2.840.113741.1.13.1",
  "1.2.840.113741.1.13.1.2.17",
  "1.2.840.113741.1.13.1.5",
  "2.5.29.35",
  "2.5.29.19",
  "2.5.29.20",
  "2.5.29.27",
  "2.5.29.28",
  "2.5.4.3",
  "2.5.4.6",
  "2.5.4.10",
  "2.5.4.97",
  "2.999.1234567890123",
];

const TIMES = [
  "500101000000Z",
  "491231235959Z",
  "991231235959Z",
  "700101000000Z",
  "20500101000000Z",
  "19691231235959Z",
  "99991231235959Z",
  "19700101000000Z",
  "200230000000Z",
  "210229000000Z",
  "200229000000Z",
  "2101010000Z",
  "210101000000+0100",
  "210101000060Z",
  "20210101000000.5Z",
  "210101000000",
  "000101000000Z",
  "20210101000000Z",
  "",
  "2x0101000000Z",
];

const NAMES = [
  "",
  "CA",
  "Intel SGX Root CA",
  "Intel SGX PCK Certificate",
  "Intel SGX TCB Signing",
  "Intel SGX PCK Platform CA",
  "SGX",
  "intel sgx root ca",
  "Intel SGX Root CA\0",
  " Intel SGX Root CA",
  "#Intel SGX Root CA",
  "Intel\nSGX Root CA",
  "\u001b[2JSGX Root CA",
  "SGX Root CA,O=x",
  "SGX Root CA\\",
  "\u00e9SGX Root CA",
  "\u{1f512}SGX Root CA",
  "\u202eSGX Root CA",
];

const STRING_TAGS: ReadonlySet<number> = new Set([
  DER_TAG.UTF8_STRING,
  DER_TAG.PRINTABLE_STRING,
  DER_TAG.IA5_STRING,
  DER_TAG.TELETEX_STRING,
  DER_TAG.NUMERIC_STRING,
  DER_TAG.VISIBLE_STRING,
  0x1e,
]);

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

/** Another value of the same type. */
function otherValue(random: Random, { tag, content }: DerNode): Uint8Array {
  if (tag === DER_TAG.INTEGER || tag === DER_TAG.ENUMERATED) {
    const near = content.length <= 6 ? BigInt(Buffer.from(content).readIntBE(0, Math.max(1, content.length))) : 0n;
    return derInteger(random.once(3) ? near + random.pick([1n, -1n, 256n]) : random.pick(INTEGERS), tag);
  }
  if (tag === DER_TAG.OID)
    return random.once(4) ? derElement(tag, mutateBytes(random, content)) : derOid(random.pick(OIDS));
  if (tag === DER_TAG.UTC_TIME || tag === DER_TAG.GENERALIZED_TIME) {
    const time = text(random.pick(TIMES));
    return derElement(random.once(3) ? tag : time.length > 13 ? DER_TAG.GENERALIZED_TIME : DER_TAG.UTC_TIME, time);
  }
  if (tag === DER_TAG.BOOLEAN)
    return derElement(tag, random.pick([[0], [1], [0xff], [0x80], [], [0, 0]].map((b) => Uint8Array.from(b))));
  if (STRING_TAGS.has(tag)) {
    const value = random.once(8) ? text("CA ".repeat(random.below(600))) : text(random.pick(NAMES));
    return derElement(random.once(2) ? tag : random.pick([...STRING_TAGS]), value);
  }
  return derElement(tag, mutateBytes(random, content));
}

/** The element with its length written in a way that DER forbids, or wrong. */
function otherLength(random: Random, { tag, content }: DerNode): Uint8Array {
  const { length } = content;
  const head = (...bytes: readonly number[]) => concatBytes(Uint8Array.of(tag, ...bytes), content);
  switch (random.below(8)) {
    case 0:
      return head(0x82, length >> 8, length);
    case 1:
      return head(0x84, 0, 0, length >> 8, length);
    case 2:
      return concatBytes(head(0x80), Uint8Array.of(0, 0));
    case 3:
      return head(0x84, 0xff, 0xff, 0xff, 0xff);
    case 4:
      return head(0x85, 0, 0, 0, length >> 8, length);
    case 5:
      return head((length + 1) & 0x7f);
    case 6:
      return head((length - 1) & 0x7f);
    default:
      return head(random.pick([0, 0xff, 0x81, 0x83]));
  }
}

function nested(element: Uint8Array, depth: number): Uint8Array {
  let out = element;
  for (let i = 0; i < depth; i++) out = derElement(DER_TAG.SEQUENCE, out);
  return out;
}

function changedParent(random: Random, node: DerNode): Uint8Array {
  const { parent } = node;
  if (parent === undefined) return concatBytes(node.encoded, random.bytes(1 + random.below(4)));
  const inside = parent.children.map(({ encoded }) => encoded);
  const at = parent.children.indexOf(node);
  const other = random.below(inside.length);
  switch (random.below(5)) {
    case 0:
      inside.splice(at, 1);
      break;
    case 1:
      inside.splice(other, 0, node.encoded);
      break;
    case 2:
      [inside[at], inside[other]] = [inside[other] as Uint8Array, inside[at] as Uint8Array];
      break;
    case 3:
      inside.push(random.once(2) ? Uint8Array.of(5, 0) : random.bytes(1 + random.below(4)));
      break;
    default:
      // Enough of them, once in a while, to go over what a structure may have.
      for (let i = random.once(20) ? 1100 : random.below(8); i >= 0; i--) inside.push(node.encoded);
  }
  return replaceNode(parent, derElement(parent.tag, ...inside));
}

/** Changes valid DER in one place, given its {@link derNodes}: a value, a tag, a length, the order or number of elements. */
export function mutateDer(random: Random, nodes: readonly DerNode[]): Uint8Array {
  const node = random.pick(nodes);
  const { tag, content, encoded } = node;
  switch (random.below(10)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return replaceNode(node, otherValue(random, node));
    case 4:
      return replaceNode(node, derElement(random.once(4) ? tag ^ 0x20 : random.pick(TAGS), content));
    case 5:
      return replaceNode(node, otherLength(random, node));
    case 6:
      return replaceNode(node, derElement(tag, content.subarray(0, random.below(content.length + 1))));
    case 7:
      return replaceNode(node, nested(encoded, random.once(8) ? 14 + random.below(60) : 1 + random.below(3)));
    default:
      return changedParent(random, node);
  }
}
