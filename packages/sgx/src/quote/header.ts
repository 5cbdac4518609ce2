import { SgxFormatError } from "../errors.ts";
import { fromHex } from "../hex.ts";
import { readU16, readU32, writeU16, writeU32 } from "../little-endian.ts";

/** Quote header, the same 48 bytes in v3, v4 and v5 (spec: DCAP §3, §4). */
export const QUOTE_HEADER_SIZE = 48;

/** Attestation key type 2: ECDSA-256 with P-256, the only one these codecs read. */
export const ATTESTATION_KEY_TYPE_ECDSA_P256 = 2;

export const TEE_TYPE = { SGX: 0, TDX: 0x81 } as const;

/** The vendor id of Intel's quoting enclaves; verifiers refuse any other. */
export const QUOTE_VENDOR_INTEL: Uint8Array = fromHex("939a7233f79c4ca9940a0db3957f0607");

export interface QuoteHeader {
  readonly version: number;
  readonly attestationKeyType: number;
  readonly teeType: number;
  /** ISVSVN of the QE at quote time (v3); reserved in v4 and v5. */
  readonly qeSvn: number;
  /** ISVSVN of the PCE at quote time (v3); reserved in v4 and v5. */
  readonly pceSvn: number;
  /** 16 bytes. */
  readonly qeVendorId: Uint8Array;
  /** 20 bytes: QE_ID and four zero bytes. */
  readonly userData: Uint8Array;
}

/** Reads the first 48 bytes. Throws `QUOTE_TRUNCATED`. */
export function decodeQuoteHeader(bytes: Uint8Array): QuoteHeader {
  if (bytes.length < QUOTE_HEADER_SIZE) {
    throw new SgxFormatError("QUOTE_TRUNCATED", `a quote header is 48 bytes, got ${bytes.length}`);
  }
  return {
    version: readU16(bytes, 0),
    attestationKeyType: readU16(bytes, 2),
    teeType: readU32(bytes, 4),
    qeSvn: readU16(bytes, 8),
    pceSvn: readU16(bytes, 10),
    qeVendorId: bytes.subarray(12, 28),
    userData: bytes.subarray(28, 48),
  };
}

export function encodeQuoteHeader(
  header: QuoteHeader,
  out: Uint8Array = new Uint8Array(QUOTE_HEADER_SIZE),
): Uint8Array {
  if (header.qeVendorId.length !== 16 || header.userData.length > 20) {
    throw new SgxFormatError("SGX_SIZE", "a quote header has a vendor id of 16 bytes and user data of at most 20");
  }
  writeU16(out, 0, header.version);
  writeU16(out, 2, header.attestationKeyType);
  writeU32(out, 4, header.teeType);
  writeU16(out, 8, header.qeSvn);
  writeU16(out, 10, header.pceSvn);
  out.set(header.qeVendorId, 12);
  out.set(header.userData, 28);
  return out;
}
