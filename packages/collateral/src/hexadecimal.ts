import { toHex, writeU16 } from "@confcom/sgx";

/** Values as requests, headers and documents have them: hexadecimal, upper case (spec: DCAP §12). */

export function upperHex(bytes: Uint8Array): string {
  return toHex(bytes).toUpperCase();
}

/** 4 digits, bytes in little-endian order: PCESVN and PCEID. */
export function littleEndian(value: number): string {
  const bytes = new Uint8Array(2);
  writeU16(bytes, 0, value);
  return upperHex(bytes);
}

/** 36 digits: CPUSVN and PCESVN, as the provisioning service writes the TCB that a certificate is for. */
export function tcbmOf({ cpuSvn, pceSvn }: { readonly cpuSvn: Uint8Array; readonly pceSvn: number }): string {
  return upperHex(cpuSvn) + littleEndian(pceSvn);
}
