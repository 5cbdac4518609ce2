import { SgxFormatError } from "./errors.ts";

/** Compares public bytes. Not constant time: secrets and MACs are compared by their owners. */
export function bytesEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

export function isZero(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== 0) return false;
  return true;
}

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  let size = 0;
  for (const part of parts) size += part.length;
  const out = new Uint8Array(size);
  let offset = 0;
  for (const part of parts) {
    out.set(part, offset);
    offset += part.length;
  }
  return out;
}

/** Refuses anything but exactly `size` bytes. */
export function assertSize(bytes: Uint8Array, size: number, structure: string): void {
  if (bytes.length !== size) {
    throw new SgxFormatError("SGX_SIZE", `${structure} is ${size} bytes, got ${bytes.length}`);
  }
}

/** Copies `value` to `offset`, zero padded to `size`; a longer value is an error. */
export function putBytes(out: Uint8Array, offset: number, value: Uint8Array, size: number, field: string): void {
  if (value.length > size) {
    throw new SgxFormatError("SGX_SIZE", `${field} holds at most ${size} bytes, got ${value.length}`);
  }
  out.set(value, offset);
}
