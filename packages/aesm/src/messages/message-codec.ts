import type { AesmOperationName } from "@confcom/sgx";
import { AesmError } from "../errors.ts";
import { FRAME_HEADER_SIZE, writeFrameHeader } from "../framing.ts";
import {
  type AesmRequest,
  type AesmResponse,
  decodeTable,
  type Fields,
  REQUEST_FIELDS,
  RESPONSE_FIELDS,
} from "./fields.ts";
import { MessageDecoder } from "./message-decoder.ts";
import { OPERATIONS, operationName } from "./operations.ts";
import { varint64Size, varintSize, writeVarint, writeVarint64 } from "./varint.ts";

type FieldValue = number | bigint | boolean | Uint8Array;
type LooseMessage = { readonly operation: AesmOperationName } & Readonly<Record<string, unknown>>;
type Messages = Readonly<Record<AesmOperationName, Fields>>;

export const REQUEST_TABLE = decodeTable(REQUEST_FIELDS);
export const RESPONSE_TABLE = decodeTable(RESPONSE_FIELDS);

/** Encodes a whole frame: 4-byte length and body (spec: AESM §2, §3). Throws `MESSAGE_INCOMPLETE`, `MESSAGE_VALUE`. */
export function encodeRequest(request: AesmRequest): Uint8Array {
  return encodeFrame(request as LooseMessage, REQUEST_FIELDS);
}

/** As {@link encodeRequest}, for a reply. */
export function encodeResponse(response: AesmResponse): Uint8Array {
  return encodeFrame(response as LooseMessage, RESPONSE_FIELDS);
}

/** Decodes a body without its 4-byte length. Throws `MESSAGE_MALFORMED` and `MESSAGE_INCOMPLETE`. */
export function decodeRequest(body: Uint8Array): AesmRequest {
  return decodeBody(body, new MessageDecoder(REQUEST_TABLE), REQUEST_FIELDS) as unknown as AesmRequest;
}

/** As {@link decodeRequest}, for a reply. */
export function decodeResponse(body: Uint8Array): AesmResponse {
  return decodeBody(body, new MessageDecoder(RESPONSE_TABLE), RESPONSE_FIELDS) as unknown as AesmResponse;
}

function encodeFrame(message: LooseMessage, messages: Messages): Uint8Array {
  const number = OPERATIONS[message.operation];
  const fields = messages[message.operation];
  let size = 0;
  for (const [name, [, kind, presence]] of Object.entries(fields)) {
    const value = message[name];
    if (value === undefined) {
      if (presence === undefined) continue;
      throw new AesmError("MESSAGE_INCOMPLETE", `${message.operation} needs ${name}`, { operation: message.operation });
    }
    size += 1 + valueSize(checkedValue(value, kind, message.operation, name));
  }
  const bodySize = varintSize((number << 3) | 2) + varintSize(size) + size;
  const frame = new Uint8Array(FRAME_HEADER_SIZE + bodySize);
  writeFrameHeader(frame, bodySize);
  let at = writeVarint(frame, FRAME_HEADER_SIZE, (number << 3) | 2);
  at = writeVarint(frame, at, size);
  for (const [name, [field, kind]] of Object.entries(fields)) {
    const value = message[name] as FieldValue | undefined;
    if (value === undefined) continue;
    frame[at++] = (field << 3) | (kind === "bytes" ? 2 : 0);
    at = writeValue(frame, at, value);
  }
  return frame;
}

function checkedValue(value: unknown, kind: string, operation: AesmOperationName, name: string): FieldValue {
  if (kind === "bytes" && value instanceof Uint8Array) return value;
  if (kind === "bool" && typeof value === "boolean") return value;
  if (kind === "u32" && typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 0xffffffff) {
    return value;
  }
  if (kind === "u64" && typeof value === "bigint" && value >= 0n && value <= 0xffffffffffffffffn) return value;
  throw new AesmError("MESSAGE_VALUE", `${operation}.${name} is not a ${kind}`, { operation });
}

function valueSize(value: FieldValue): number {
  if (typeof value === "boolean") return 1;
  if (typeof value === "number") return varintSize(value);
  if (typeof value === "bigint") return varint64Size(Number(value & 0xffffffffn), Number(value >> 32n));
  return varintSize(value.length) + value.length;
}

function writeValue(out: Uint8Array, at: number, value: FieldValue): number {
  if (typeof value === "boolean") return writeVarint(out, at, value ? 1 : 0);
  if (typeof value === "number") return writeVarint(out, at, value);
  if (typeof value === "bigint") return writeVarint64(out, at, Number(value & 0xffffffffn), Number(value >> 32n));
  const start = writeVarint(out, at, value.length);
  out.set(value, start);
  return start + value.length;
}

function decodeBody(body: Uint8Array, decoder: MessageDecoder, messages: Messages): Record<string, unknown> {
  const operation = operationName(decoder.decode(body, 0, body.length));
  if (decoder.malformed || operation === "unknown") {
    throw new AesmError("MESSAGE_MALFORMED", `${body.length} bytes are not an AESM message`);
  }
  if (!decoder.complete) {
    throw new AesmError("MESSAGE_INCOMPLETE", `${operation} lacks a required field`, { operation });
  }
  const message: Record<string, unknown> = { operation };
  for (const [name, [field, kind]] of Object.entries(messages[operation])) {
    if (!decoder.has(field)) continue;
    const low = decoder.low[field] as number;
    const high = decoder.high[field] as number;
    const start = decoder.start[field] as number;
    if (kind === "bytes") message[name] = body.slice(start, start + (decoder.length[field] as number));
    else if (kind === "bool") message[name] = (low | high) !== 0;
    else message[name] = kind === "u32" ? low : (BigInt(high) << 32n) | BigInt(low);
  }
  return message;
}
