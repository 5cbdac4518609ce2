import { type Attributes, decodeAttributes, encodeAttributes } from "./attributes.ts";
import { assertSize, putBytes } from "./bytes.ts";
import { readU16, readU32, writeU16, writeU32 } from "./little-endian.ts";

/** sgx_report_body_t (spec: DCAP §1): what EREPORT's MAC covers and a quote signs. */
export const REPORT_BODY_SIZE = 384;
/** sgx_report_t: body, KEYID and MAC. */
export const REPORT_SIZE = 432;

/** Offsets inside the report body, for code that reads one field without decoding all. */
export const REPORT_OFFSET = {
  CPUSVN: 0,
  MISCSELECT: 16,
  ISVEXTPRODID: 32,
  ATTRIBUTES: 48,
  MRENCLAVE: 64,
  MRSIGNER: 128,
  CONFIGID: 192,
  ISVPRODID: 256,
  ISVSVN: 258,
  CONFIGSVN: 260,
  ISVFAMILYID: 304,
  REPORTDATA: 320,
  KEYID: 384,
  MAC: 416,
} as const;

export interface ReportBody {
  /** 16 bytes: the security version of the CPU that made the report. */
  readonly cpuSvn: Uint8Array;
  readonly miscSelect: number;
  /** 16 bytes. */
  readonly isvExtProdId: Uint8Array;
  readonly attributes: Attributes;
  /** 32 bytes: what the enclave is. */
  readonly mrEnclave: Uint8Array;
  /** 32 bytes: who signed it. */
  readonly mrSigner: Uint8Array;
  /** 64 bytes. */
  readonly configId: Uint8Array;
  readonly isvProdId: number;
  readonly isvSvn: number;
  readonly configSvn: number;
  /** 16 bytes. */
  readonly isvFamilyId: Uint8Array;
  /** 64 bytes chosen by the enclave. */
  readonly reportData: Uint8Array;
}

export interface Report {
  readonly body: ReportBody;
  /** 32 bytes, not covered by the MAC but an input of its key. */
  readonly keyId: Uint8Array;
  /** 16 bytes: AES-128-CMAC over the body. */
  readonly mac: Uint8Array;
}

/** Reads 384 bytes; reserved bytes are ignored. Throws `SGX_SIZE`. */
export function decodeReportBody(bytes: Uint8Array): ReportBody {
  assertSize(bytes, REPORT_BODY_SIZE, "report body");
  return {
    cpuSvn: bytes.slice(0, 16),
    miscSelect: readU32(bytes, REPORT_OFFSET.MISCSELECT),
    isvExtProdId: bytes.slice(32, 48),
    attributes: decodeAttributes(bytes.subarray(48, 64)),
    mrEnclave: bytes.slice(64, 96),
    mrSigner: bytes.slice(128, 160),
    configId: bytes.slice(192, 256),
    isvProdId: readU16(bytes, REPORT_OFFSET.ISVPRODID),
    isvSvn: readU16(bytes, REPORT_OFFSET.ISVSVN),
    configSvn: readU16(bytes, REPORT_OFFSET.CONFIGSVN),
    isvFamilyId: bytes.slice(304, 320),
    reportData: bytes.slice(320, 384),
  };
}

/** Writes 384 bytes, reserved ones zero. Shorter byte fields are zero padded; longer ones throw `SGX_SIZE`. */
export function encodeReportBody(body: ReportBody): Uint8Array {
  const out = new Uint8Array(REPORT_BODY_SIZE);
  putBytes(out, REPORT_OFFSET.CPUSVN, body.cpuSvn, 16, "CPUSVN");
  writeU32(out, REPORT_OFFSET.MISCSELECT, body.miscSelect);
  putBytes(out, REPORT_OFFSET.ISVEXTPRODID, body.isvExtProdId, 16, "ISVEXTPRODID");
  out.set(encodeAttributes(body.attributes), REPORT_OFFSET.ATTRIBUTES);
  putBytes(out, REPORT_OFFSET.MRENCLAVE, body.mrEnclave, 32, "MRENCLAVE");
  putBytes(out, REPORT_OFFSET.MRSIGNER, body.mrSigner, 32, "MRSIGNER");
  putBytes(out, REPORT_OFFSET.CONFIGID, body.configId, 64, "CONFIGID");
  writeU16(out, REPORT_OFFSET.ISVPRODID, body.isvProdId);
  writeU16(out, REPORT_OFFSET.ISVSVN, body.isvSvn);
  writeU16(out, REPORT_OFFSET.CONFIGSVN, body.configSvn);
  putBytes(out, REPORT_OFFSET.ISVFAMILYID, body.isvFamilyId, 16, "ISVFAMILYID");
  putBytes(out, REPORT_OFFSET.REPORTDATA, body.reportData, 64, "REPORTDATA");
  return out;
}

/** Reads 432 bytes. Throws `SGX_SIZE`. */
export function decodeReport(bytes: Uint8Array): Report {
  assertSize(bytes, REPORT_SIZE, "report");
  return {
    body: decodeReportBody(bytes.subarray(0, REPORT_BODY_SIZE)),
    keyId: bytes.slice(REPORT_OFFSET.KEYID, REPORT_OFFSET.MAC),
    mac: bytes.slice(REPORT_OFFSET.MAC, REPORT_SIZE),
  };
}

export function encodeReport(report: Report): Uint8Array {
  const out = new Uint8Array(REPORT_SIZE);
  out.set(encodeReportBody(report.body));
  putBytes(out, REPORT_OFFSET.KEYID, report.keyId, 32, "KEYID");
  putBytes(out, REPORT_OFFSET.MAC, report.mac, 16, "MAC");
  return out;
}
