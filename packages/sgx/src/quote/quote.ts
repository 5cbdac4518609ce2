import { SgxFormatError } from "../errors.ts";
import { readU16, readU32 } from "../little-endian.ts";
import { decodeReportBody, REPORT_BODY_SIZE, type ReportBody } from "../report.ts";
import {
  ATTESTATION_KEY_TYPE_ECDSA_P256,
  decodeQuoteHeader,
  QUOTE_HEADER_SIZE,
  type QuoteHeader,
  TEE_TYPE,
} from "./header.ts";
import { decodeSignatureDataV3, decodeSignatureDataV4, type QuoteSignatureData } from "./signature-data.ts";
import { decodeTdReport, TD_REPORT_10_SIZE, TD_REPORT_15_SIZE, type TdReport } from "./td-report.ts";

/** v5 body types (spec: DCAP §4). */
export const QUOTE_BODY_TYPE = { SGX: 1, TD_10: 2, TD_15: 3 } as const;

export type QuoteBody =
  | { readonly kind: "sgx"; readonly report: ReportBody }
  | { readonly kind: "td-1.0" | "td-1.5"; readonly report: TdReport };

/** A decoded ECDSA quote. Byte fields are views of the input: keep it unchanged while they are in use. */
export interface Quote {
  readonly header: QuoteHeader;
  readonly body: QuoteBody;
  /** The bytes of the body alone. */
  readonly bodyBytes: Uint8Array;
  /** What the attestation key signs: everything before the signature data length. */
  readonly signedBytes: Uint8Array;
  readonly signatureData: QuoteSignatureData;
  /** Bytes of the quote itself; the input may be longer. */
  readonly size: number;
  /** Bytes after the quote: legal, buffers are often larger. */
  readonly trailingBytes: number;
}

interface BodyLayout {
  readonly kind: QuoteBody["kind"];
  readonly start: number;
  readonly size: number;
}

function bodyLayout(header: QuoteHeader, bytes: Uint8Array): BodyLayout {
  if (header.version !== 5) {
    return header.teeType === TEE_TYPE.SGX
      ? { kind: "sgx", start: QUOTE_HEADER_SIZE, size: REPORT_BODY_SIZE }
      : { kind: "td-1.0", start: QUOTE_HEADER_SIZE, size: TD_REPORT_10_SIZE };
  }
  if (bytes.length < QUOTE_HEADER_SIZE + 6) {
    throw new SgxFormatError("QUOTE_TRUNCATED", `a v5 quote has at least 54 bytes, got ${bytes.length}`);
  }
  const type = readU16(bytes, QUOTE_HEADER_SIZE);
  const size = readU32(bytes, QUOTE_HEADER_SIZE + 2);
  const known: Readonly<Record<number, { kind: QuoteBody["kind"]; size: number; teeType: number }>> = {
    [QUOTE_BODY_TYPE.SGX]: { kind: "sgx", size: REPORT_BODY_SIZE, teeType: TEE_TYPE.SGX },
    [QUOTE_BODY_TYPE.TD_10]: { kind: "td-1.0", size: TD_REPORT_10_SIZE, teeType: TEE_TYPE.TDX },
    [QUOTE_BODY_TYPE.TD_15]: { kind: "td-1.5", size: TD_REPORT_15_SIZE, teeType: TEE_TYPE.TDX },
  };
  const layout = known[type];
  if (layout === undefined) throw new SgxFormatError("QUOTE_TYPE", `body type ${type} is not 1, 2 or 3`);
  if (layout.size !== size || layout.teeType !== header.teeType) {
    throw new SgxFormatError(
      "QUOTE_LAYOUT",
      `body type ${type} does not go with ${size} bytes and TEE type 0x${header.teeType.toString(16)}`,
    );
  }
  return { kind: layout.kind, start: QUOTE_HEADER_SIZE + 6, size };
}

function checkHeader(header: QuoteHeader): void {
  if (header.version < 3 || header.version > 5) {
    throw new SgxFormatError("QUOTE_VERSION", `quote version ${header.version} is not 3, 4 or 5`);
  }
  if (header.attestationKeyType !== ATTESTATION_KEY_TYPE_ECDSA_P256) {
    throw new SgxFormatError("QUOTE_TYPE", `attestation key type ${header.attestationKeyType} is not 2 (ECDSA-P256)`);
  }
  const tdx = header.teeType === TEE_TYPE.TDX;
  if (!(header.teeType === TEE_TYPE.SGX || (tdx && header.version > 3))) {
    throw new SgxFormatError(
      "QUOTE_TYPE",
      `TEE type 0x${header.teeType.toString(16)} is unknown in a version ${header.version} quote`,
    );
  }
}

/**
 * Decodes a v3, v4 or v5 quote (spec: DCAP §3, §4). Checks layout only: no signature, no vendor id, no certificate.
 * Throws SgxFormatError `QUOTE_TRUNCATED`, `QUOTE_VERSION`, `QUOTE_TYPE` or `QUOTE_LAYOUT`.
 */
export function decodeQuote(bytes: Uint8Array): Quote {
  const header = decodeQuoteHeader(bytes);
  checkHeader(header);
  const layout = bodyLayout(header, bytes);
  const signedSize = layout.start + layout.size;
  if (bytes.length < signedSize + 4) {
    throw new SgxFormatError("QUOTE_TRUNCATED", `header and body take ${signedSize + 4} bytes, got ${bytes.length}`);
  }
  const size = signedSize + 4 + readU32(bytes, signedSize);
  if (size > bytes.length) {
    throw new SgxFormatError("QUOTE_TRUNCATED", `the quote declares ${size} bytes, got ${bytes.length}`);
  }
  const bodyBytes = bytes.subarray(layout.start, signedSize);
  const signatureBytes = bytes.subarray(signedSize + 4, size);
  return {
    header,
    body:
      layout.kind === "sgx"
        ? { kind: "sgx", report: decodeReportBody(bodyBytes) }
        : { kind: layout.kind, report: decodeTdReport(bodyBytes) },
    bodyBytes,
    signedBytes: bytes.subarray(0, signedSize),
    signatureData: header.version === 3 ? decodeSignatureDataV3(signatureBytes) : decodeSignatureDataV4(signatureBytes),
    size,
    trailingBytes: bytes.length - size,
  };
}
