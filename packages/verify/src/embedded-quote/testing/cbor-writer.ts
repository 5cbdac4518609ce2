import { concatBytes } from "@confcom/sgx";

function head(major: number, value: number): Uint8Array {
  const bytes: number[] = [];
  if (value < 24) return Uint8Array.of((major << 5) | value);
  const size = value < 0x100 ? 1 : value < 0x10000 ? 2 : value < 0x100000000 ? 4 : 8;
  for (let i = 0, rest = value; i < size; i++, rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Uint8Array.of((major << 5) | (24 + Math.log2(size)), ...bytes);
}

/** CBOR items in their shortest form (RFC 8949 §4.1). */
export const cbor = {
  uint: (value: number) => head(0, value),
  bytes: (value: Uint8Array) => concatBytes(head(2, value.length), value),
  text(value: string) {
    const bytes = new TextEncoder().encode(value);
    return concatBytes(head(3, bytes.length), bytes);
  },
  array: (...items: readonly Uint8Array[]) => concatBytes(head(4, items.length), ...items),
  map: (...pairs: readonly (readonly [Uint8Array, Uint8Array])[]) =>
    concatBytes(head(5, pairs.length), ...pairs.flat()),
  tag: (tag: number, item: Uint8Array) => concatBytes(head(6, tag), item),
};
