import { assertSize } from "../bytes.ts";
import { writeU16, writeU32 } from "../little-endian.ts";
import { REPORT_BODY_SIZE } from "../report.ts";
import { encodeQuoteHeader, QUOTE_HEADER_SIZE, type QuoteHeader } from "./header.ts";
import { type QuoteSignatureData, SIGNATURE_DATA_FIXED_SIZE } from "./signature-data.ts";

/** Bytes of a v3 quote before the signature data: header, body, length. */
export const QUOTE_V3_SIGNATURE_OFFSET = QUOTE_HEADER_SIZE + REPORT_BODY_SIZE + 4;

/** Size in bytes of a v3 quote with so much QE authentication data and certification data (spec: DCAP §3). */
export function quoteV3Size(qeAuthDataSize: number, certificationDataSize: number): number {
  return QUOTE_V3_SIGNATURE_OFFSET + SIGNATURE_DATA_FIXED_SIZE + 2 + qeAuthDataSize + 6 + certificationDataSize;
}

/** Writes a v3 quote from its parts (spec: DCAP §3). Throws `SGX_SIZE`. */
export function encodeQuoteV3(
  header: QuoteHeader,
  reportBody: Uint8Array,
  signatureData: Omit<QuoteSignatureData, "unusedBytes">,
): Uint8Array {
  const { qeAuthData, certificationData } = signatureData;
  assertSize(reportBody, REPORT_BODY_SIZE, "report body");
  assertSize(signatureData.signature, 64, "quote signature");
  assertSize(signatureData.attestationKey, 64, "attestation key");
  assertSize(signatureData.qeReport, REPORT_BODY_SIZE, "QE report body");
  assertSize(signatureData.qeReportSignature, 64, "QE report signature");
  const out = new Uint8Array(quoteV3Size(qeAuthData.length, certificationData.length));
  encodeQuoteHeader(header, out);
  out.set(reportBody, QUOTE_HEADER_SIZE);
  writeU32(out, QUOTE_HEADER_SIZE + REPORT_BODY_SIZE, out.length - QUOTE_V3_SIGNATURE_OFFSET);
  let offset = QUOTE_V3_SIGNATURE_OFFSET;
  for (const part of [
    signatureData.signature,
    signatureData.attestationKey,
    signatureData.qeReport,
    signatureData.qeReportSignature,
  ]) {
    out.set(part, offset);
    offset += part.length;
  }
  writeU16(out, offset, qeAuthData.length);
  out.set(qeAuthData, offset + 2);
  offset += 2 + qeAuthData.length;
  writeU16(out, offset, signatureData.certificationDataType);
  writeU32(out, offset + 2, certificationData.length);
  out.set(certificationData, offset + 6);
  return out;
}
