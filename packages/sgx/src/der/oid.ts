import { DerError } from "./errors.ts";

/** Checks the content of an OBJECT IDENTIFIER: not empty, every arc complete and in its shortest form. Throws `DER_OID`. */
export function checkOid(bytes: Uint8Array, start: number, end: number): void {
  if (start === end || ((bytes[end - 1] as number) & 0x80) !== 0) {
    throw new DerError("DER_OID", start, "an object identifier is empty or ends inside an arc");
  }
  let first = true;
  for (let i = start; i < end; i++) {
    const byte = bytes[i] as number;
    if (first && byte === 0x80) throw new DerError("DER_OID", i, "an arc has leading zeros");
    first = (byte & 0x80) === 0;
  }
}

/** Dotted decimal text of an object identifier's content. Arcs may be of any size. Throws `DER_OID`. */
export function oidToText(content: Uint8Array): string {
  checkOid(content, 0, content.length);
  const arcs: bigint[] = [];
  let arc = 0n;
  for (const byte of content) {
    arc = (arc << 7n) | BigInt(byte & 0x7f);
    if ((byte & 0x80) !== 0) continue;
    if (arcs.length === 0) {
      const root = arc < 40n ? 0n : arc < 80n ? 1n : 2n;
      arcs.push(root, arc - root * 40n);
    } else {
      arcs.push(arc);
    }
    arc = 0n;
  }
  return arcs.join(".");
}

/** Content bytes of an object identifier written in dotted decimal. Throws `DER_OID`. */
export function oidFromText(text: string): Uint8Array {
  if (!/^[0-2](\.(0|[1-9]\d*))+$/.test(text)) throw new DerError("DER_OID", 0, `"${text}" is not an object identifier`);
  const arcs = text.split(".").map(BigInt);
  const [root, second] = arcs as [bigint, bigint, ...bigint[]];
  if (root < 2n && second > 39n) throw new DerError("DER_OID", 0, `"${text}" has a second arc over 39`);
  const out: number[] = [];
  for (const arc of [root * 40n + second, ...arcs.slice(2)]) {
    const digits = [Number(arc & 0x7fn)];
    for (let rest = arc >> 7n; rest > 0n; rest >>= 7n) digits.push(Number(rest & 0x7fn) | 0x80);
    out.push(...digits.reverse());
  }
  return Uint8Array.from(out);
}
