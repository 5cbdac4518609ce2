import { SgxFormatError } from "./errors.ts";

// SGX and DCAP structures are little-endian and packed. Reads past the end are the caller's error and throw.

function checkRange(bytes: Uint8Array, offset: number, size: number): void {
  if (offset < 0 || offset + size > bytes.length) {
    throw new SgxFormatError("SGX_SIZE", `${size} bytes at offset ${offset} lie outside ${bytes.length} bytes`);
  }
}

export function readU16(bytes: Uint8Array, offset: number): number {
  checkRange(bytes, offset, 2);
  return (bytes[offset] as number) | ((bytes[offset + 1] as number) << 8);
}

export function readU32(bytes: Uint8Array, offset: number): number {
  checkRange(bytes, offset, 4);
  return (
    ((bytes[offset] as number) |
      ((bytes[offset + 1] as number) << 8) |
      ((bytes[offset + 2] as number) << 16) |
      ((bytes[offset + 3] as number) << 24)) >>>
    0
  );
}

export function readU64(bytes: Uint8Array, offset: number): bigint {
  return BigInt(readU32(bytes, offset)) | (BigInt(readU32(bytes, offset + 4)) << 32n);
}

export function writeU16(bytes: Uint8Array, offset: number, value: number): void {
  checkRange(bytes, offset, 2);
  if (!Number.isInteger(value) || value < 0 || value > 0xffff) {
    throw new SgxFormatError("SGX_VALUE", `${value} does not fit 16 bits`);
  }
  bytes[offset] = value & 0xff;
  bytes[offset + 1] = value >>> 8;
}

export function writeU32(bytes: Uint8Array, offset: number, value: number): void {
  checkRange(bytes, offset, 4);
  if (!Number.isInteger(value) || value < 0 || value > 0xffffffff) {
    throw new SgxFormatError("SGX_VALUE", `${value} does not fit 32 bits`);
  }
  bytes[offset] = value & 0xff;
  bytes[offset + 1] = (value >>> 8) & 0xff;
  bytes[offset + 2] = (value >>> 16) & 0xff;
  bytes[offset + 3] = value >>> 24;
}

export function writeU64(bytes: Uint8Array, offset: number, value: bigint): void {
  if (value < 0n || value > 0xffffffffffffffffn) throw new SgxFormatError("SGX_VALUE", `${value} does not fit 64 bits`);
  writeU32(bytes, offset, Number(value & 0xffffffffn));
  writeU32(bytes, offset + 4, Number(value >> 32n));
}
