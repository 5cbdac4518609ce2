import { type Attributes, decodeAttributes, encodeAttributes } from "./attributes.ts";
import { assertSize, putBytes } from "./bytes.ts";
import { readU16, readU32, writeU16, writeU32 } from "./little-endian.ts";

/** sgx_key_request_t: 512 bytes (spec: DCAP §1). */
export const KEY_REQUEST_SIZE = 512;

export const KEY_NAME = { EINITTOKEN: 0, PROVISION: 1, PROVISION_SEAL: 2, REPORT: 3, SEAL: 4 } as const;

export const KEY_POLICY = {
  MRENCLAVE: 0x1,
  MRSIGNER: 0x2,
  NOISVPRODID: 0x4,
  CONFIGID: 0x8,
  ISVFAMILYID: 0x10,
  ISVEXTPRODID: 0x20,
} as const;

/** What an enclave asks EGETKEY for. */
export interface KeyRequest {
  readonly keyName: number;
  readonly keyPolicy: number;
  readonly isvSvn: number;
  /** 16 bytes. */
  readonly cpuSvn: Uint8Array;
  readonly attributeMask: Attributes;
  /** 32 bytes. */
  readonly keyId: Uint8Array;
  readonly miscMask: number;
  readonly configSvn: number;
}

export function decodeKeyRequest(bytes: Uint8Array): KeyRequest {
  assertSize(bytes, KEY_REQUEST_SIZE, "key request");
  return {
    keyName: readU16(bytes, 0),
    keyPolicy: readU16(bytes, 2),
    isvSvn: readU16(bytes, 4),
    cpuSvn: bytes.slice(8, 24),
    attributeMask: decodeAttributes(bytes.subarray(24, 40)),
    keyId: bytes.slice(40, 72),
    miscMask: readU32(bytes, 72),
    configSvn: readU16(bytes, 76),
  };
}

export function encodeKeyRequest(request: KeyRequest): Uint8Array {
  const out = new Uint8Array(KEY_REQUEST_SIZE);
  writeU16(out, 0, request.keyName);
  writeU16(out, 2, request.keyPolicy);
  writeU16(out, 4, request.isvSvn);
  putBytes(out, 8, request.cpuSvn, 16, "CPUSVN");
  out.set(encodeAttributes(request.attributeMask), 24);
  putBytes(out, 40, request.keyId, 32, "KEYID");
  writeU32(out, 72, request.miscMask);
  writeU16(out, 76, request.configSvn);
  return out;
}
