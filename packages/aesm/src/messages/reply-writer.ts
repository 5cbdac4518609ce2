import { writeFrameHeader } from "../framing.ts";
import { OPERATION_LIMIT } from "./operations.ts";
import { varint64Size, varintSize, writeVarint, writeVarint64 } from "./varint.ts";

// Replies of the four hot operations and every refusal: frame and message in one go into the caller's buffer, which must
// be large enough (replyCapacity). Each returns the frame's length. The layouts are those of RESPONSE_FIELDS.

const TARGET_INFO_SIZE = 512;
const QE_REPORT_INFO_SIZE = 960;
const QE_REPORT_OFFSET = 528;

/** A reply buffer of this size holds every reply when quotes are at most `maxQuote` and request bodies `maxBody` bytes. */
export function replyCapacity(maxQuote: number, maxBody: number): number {
  return Math.max(maxQuote + QE_REPORT_INFO_SIZE, maxBody, 16 * 1024) + 64;
}

/** Field number of the scalar that a reply carries even on error (spec: AESM §3.1); 0 for none. */
const ALWAYS_PRESENT: Uint8Array = (() => {
  const field = new Uint8Array(OPERATION_LIMIT);
  field[10] = 2;
  field[12] = 2;
  field[15] = 3;
  field[16] = 2;
  field[18] = 3;
  field[21] = 2;
  return field;
})();

/** Writes header and sub-message tag for fields of `size` bytes; returns where the fields begin. */
function beginReply(out: Uint8Array, operation: number, size: number): number {
  const tag = (operation << 3) | 2;
  writeFrameHeader(out, varintSize(tag) + varintSize(size) + size);
  return writeVarint(out, writeVarint(out, 4, tag), size);
}

/**
 * Any operation with an error code. The always-present scalar is 0, but for init_quote_ex, which echoes the buf_size of the
 * request (`echoLow`, `echoHigh`).
 */
export function writeRefusal(out: Uint8Array, operation: number, code: number, echoLow = 0, echoHigh = 0): number {
  const scalar = ALWAYS_PRESENT[operation] as number;
  const size = 1 + varintSize(code) + (scalar === 0 ? 0 : 1 + varint64Size(echoLow, echoHigh));
  let at = beginReply(out, operation, size);
  out[at++] = 0x08;
  at = writeVarint(out, at, code);
  if (scalar === 0) return at;
  out[at++] = scalar << 3;
  return writeVarint64(out, at, echoLow, echoHigh);
}

/** get_quote_ex with an error code: the request's qe_report_info comes back unchanged, whatever its length. */
export function writeQuoteRefusal(out: Uint8Array, code: number, qeReportInfo: Uint8Array | undefined): number {
  if (qeReportInfo === undefined) return writeRefusal(out, 17, code);
  let at = beginReply(out, 17, 1 + varintSize(code) + 1 + varintSize(qeReportInfo.length) + qeReportInfo.length);
  out[at++] = 0x08;
  at = writeVarint(out, at, code);
  out[at++] = 0x1a;
  at = writeVarint(out, at, qeReportInfo.length);
  out.set(qeReportInfo, at);
  return at + qeReportInfo.length;
}

/** A success with one u32 in field 2: the key id count (21) and the quote size (16). */
export function writeNumberReply(out: Uint8Array, operation: number, value: number): number {
  let at = beginReply(out, operation, 3 + varintSize(value));
  out[at++] = 0x08;
  out[at++] = 0;
  out[at++] = 0x10;
  return writeVarint(out, at, value);
}

/** A success with one bytes field, number 2: the selected key id (19) and the list of key ids (22). */
export function writeBytesReply(out: Uint8Array, operation: number, value: Uint8Array): number {
  let at = beginReply(out, operation, 3 + varintSize(value.length) + value.length);
  out[at++] = 0x08;
  out[at++] = 0;
  out[at++] = 0x12;
  at = writeVarint(out, at, value.length);
  out.set(value, at);
  return at + value.length;
}

/** init_quote_ex: without `pubKeyId` it is the answer to the size query, whose target info is 512 zero bytes. */
export function writeInitQuoteReply(
  out: Uint8Array,
  targetInfo: Uint8Array | undefined,
  pubKeyIdSize: number,
  pubKeyId: Uint8Array | undefined,
): number {
  const idSize = pubKeyId === undefined ? 0 : 1 + varintSize(pubKeyId.length) + pubKeyId.length;
  let at = beginReply(out, 15, 2 + 3 + TARGET_INFO_SIZE + 1 + varintSize(pubKeyIdSize) + idSize);
  out[at++] = 0x08;
  out[at++] = 0;
  out[at++] = 0x12;
  at = writeVarint(out, at, TARGET_INFO_SIZE);
  if (targetInfo === undefined) out.fill(0, at, at + TARGET_INFO_SIZE);
  else out.set(targetInfo, at);
  at += TARGET_INFO_SIZE;
  out[at++] = 0x18;
  at = writeVarint(out, at, pubKeyIdSize);
  if (pubKeyId === undefined) return at;
  out[at++] = 0x22;
  at = writeVarint(out, at, pubKeyId.length);
  out.set(pubKeyId, at);
  return at + pubKeyId.length;
}

/**
 * get_quote_ex: the quote with zeros up to `bufSize`, which is what the caller asked for, and, when it gave a
 * qe_report_info (960 bytes), that with its last 432 bytes replaced by the QE's report.
 */
export function writeQuoteReply(
  out: Uint8Array,
  quote: Uint8Array,
  bufSize: number,
  qeReportInfo: Uint8Array | undefined,
  qeReport: Uint8Array | undefined,
): number {
  const infoSize = qeReportInfo === undefined ? 0 : 3 + QE_REPORT_INFO_SIZE;
  let at = beginReply(out, 17, 3 + varintSize(bufSize) + bufSize + infoSize);
  out[at++] = 0x08;
  out[at++] = 0;
  out[at++] = 0x12;
  at = writeVarint(out, at, bufSize);
  out.set(quote, at);
  if (bufSize > quote.length) out.fill(0, at + quote.length, at + bufSize);
  at += bufSize;
  if (qeReportInfo === undefined) return at;
  out[at++] = 0x1a;
  at = writeVarint(out, at, QE_REPORT_INFO_SIZE);
  out.set(qeReportInfo, at);
  if (qeReport !== undefined) out.set(qeReport, at + QE_REPORT_OFFSET);
  return at + QE_REPORT_INFO_SIZE;
}
