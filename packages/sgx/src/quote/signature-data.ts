import { SgxFormatError } from "../errors.ts";
import { readU16, readU32 } from "../little-endian.ts";
import { REPORT_BODY_SIZE } from "../report.ts";
import { CERTIFICATION_DATA_TYPE } from "./certification-data.ts";

/** Fixed part of v3 signature data before the QE authentication data (spec: DCAP §3). */
export const SIGNATURE_DATA_FIXED_SIZE = 64 + 64 + REPORT_BODY_SIZE + 64;

/** The ECDSA signature data, the same content in every quote version. All byte fields are views. */
export interface QuoteSignatureData {
  /** 64 bytes r‖s, big-endian, over header and body. */
  readonly signature: Uint8Array;
  /** 64 bytes x‖y, big-endian. */
  readonly attestationKey: Uint8Array;
  /** 384 bytes: the QE's report body, certified by the PCK key. */
  readonly qeReport: Uint8Array;
  /** 64 bytes r‖s by the PCK key over `qeReport`. */
  readonly qeReportSignature: Uint8Array;
  readonly qeAuthData: Uint8Array;
  readonly certificationDataType: number;
  readonly certificationData: Uint8Array;
  /** Bytes inside the declared length but after the certification data (tolerated in v3). */
  readonly unusedBytes: number;
}

function need(bytes: Uint8Array, end: number, what: string): void {
  if (end > bytes.length) {
    throw new SgxFormatError("QUOTE_LAYOUT", `${what} ends at byte ${end} of ${bytes.length} bytes of signature data`);
  }
}

/** QE report, its signature, authentication data and (inner) certification data: shared by v3 and the v4/v5 type-6 block. */
function decodeCertified(bytes: Uint8Array, start: number) {
  const authSizeAt = start + REPORT_BODY_SIZE + 64;
  need(bytes, authSizeAt + 2, "the QE authentication data size");
  const authEnd = authSizeAt + 2 + readU16(bytes, authSizeAt);
  need(bytes, authEnd + 6, "the QE authentication data");
  const certificationDataType = readU16(bytes, authEnd);
  const certEnd = authEnd + 6 + readU32(bytes, authEnd + 2);
  need(bytes, certEnd, "the certification data");
  return {
    qeReport: bytes.subarray(start, start + REPORT_BODY_SIZE),
    qeReportSignature: bytes.subarray(start + REPORT_BODY_SIZE, authSizeAt),
    qeAuthData: bytes.subarray(authSizeAt + 2, authEnd),
    certificationDataType,
    certificationData: bytes.subarray(authEnd + 6, certEnd),
    unusedBytes: bytes.length - certEnd,
  };
}

/** Reads the signature data of a v3 quote. Throws `QUOTE_LAYOUT`. */
export function decodeSignatureDataV3(bytes: Uint8Array): QuoteSignatureData {
  need(bytes, 128, "the signature and attestation key");
  return { signature: bytes.subarray(0, 64), attestationKey: bytes.subarray(64, 128), ...decodeCertified(bytes, 128) };
}

/** Reads the signature data of a v4 or v5 quote: a type-6 block must be consumed exactly. Throws `QUOTE_LAYOUT`. */
export function decodeSignatureDataV4(bytes: Uint8Array): QuoteSignatureData {
  need(bytes, 134, "the signature and attestation key");
  const outerType = readU16(bytes, 128);
  if (outerType !== CERTIFICATION_DATA_TYPE.QE_REPORT) {
    throw new SgxFormatError("QUOTE_LAYOUT", `certification data of a v4 or v5 quote is type 6, got ${outerType}`);
  }
  const outerEnd = 134 + readU32(bytes, 130);
  need(bytes, outerEnd, "the QE report certification data");
  const certified = decodeCertified(bytes.subarray(0, outerEnd), 134);
  if (certified.unusedBytes !== 0) {
    throw new SgxFormatError(
      "QUOTE_LAYOUT",
      `${certified.unusedBytes} bytes of the QE report certification data are unused`,
    );
  }
  return {
    signature: bytes.subarray(0, 64),
    attestationKey: bytes.subarray(64, 128),
    ...certified,
    unusedBytes: bytes.length - outerEnd,
  };
}
