import { type Attributes, decodeAttributes, encodeAttributes } from "./attributes.ts";
import { assertSize, putBytes } from "./bytes.ts";
import { readU16, readU32, writeU16, writeU32 } from "./little-endian.ts";

/** sgx_target_info_t: 512 bytes (spec: DCAP §1). */
export const TARGET_INFO_SIZE = 512;

/** Whom a report is for: the enclave that can derive the report key. */
export interface TargetInfo {
  /** 32 bytes. */
  readonly mrEnclave: Uint8Array;
  readonly attributes: Attributes;
  readonly configSvn: number;
  readonly miscSelect: number;
  /** 64 bytes. */
  readonly configId: Uint8Array;
}

/** Reserved bytes are not looked at, as in EREPORT. Throws `SGX_SIZE`. */
export function decodeTargetInfo(bytes: Uint8Array): TargetInfo {
  assertSize(bytes, TARGET_INFO_SIZE, "target info");
  return {
    mrEnclave: bytes.slice(0, 32),
    attributes: decodeAttributes(bytes.subarray(32, 48)),
    configSvn: readU16(bytes, 50),
    miscSelect: readU32(bytes, 52),
    configId: bytes.slice(64, 128),
  };
}

export function encodeTargetInfo(target: TargetInfo): Uint8Array {
  const out = new Uint8Array(TARGET_INFO_SIZE);
  putBytes(out, 0, target.mrEnclave, 32, "MRENCLAVE");
  out.set(encodeAttributes(target.attributes), 32);
  writeU16(out, 50, target.configSvn);
  writeU32(out, 52, target.miscSelect);
  putBytes(out, 64, target.configId, 64, "CONFIGID");
  return out;
}
