import { once } from "node:events";
import { createConnection } from "node:net";

// The three AESM exchanges of the benchmark, written out here so that what is measured does not also make the
// measurement: none of the server's own code takes part (spec: AESM §2, §3).

const INTEL_TIMEOUT_MS = 15_000;

/** getSupportedAttKeyIDNum: the front door, which asks nothing of the quoting enclave. */
export function keyIdCountRequest(): Buffer {
  return frame(21, varintField(9, INTEL_TIMEOUT_MS));
}

/** initQuoteEx with `b_pub_key_id` true: creates or loads the attestation key and names the report's target. */
export function initQuoteRequest(): Buffer {
  return frame(
    15,
    Buffer.concat([
      bytesField(1, defaultKeyId()),
      varintField(3, 1),
      varintField(4, 32),
      varintField(9, INTEL_TIMEOUT_MS),
    ]),
  );
}

export function quoteSizeRequest(): Buffer {
  return frame(16, Buffer.concat([bytesField(1, defaultKeyId()), varintField(9, INTEL_TIMEOUT_MS)]));
}

/** getQuoteEx as Intel's client sends it: 432-byte report, the 256-byte default key id, no qe_report_info. */
export function quoteRequest(report: Uint8Array, bufSize: number): Buffer {
  return frame(
    17,
    Buffer.concat([
      bytesField(1, report),
      bytesField(2, defaultKeyId()),
      varintField(4, bufSize),
      varintField(9, INTEL_TIMEOUT_MS),
    ]),
  );
}

export interface Reply {
  /** The AESM error code; 0 is success. */
  readonly code: number;
  /** The other fields by number: bytes or an integer. */
  readonly fields: ReadonlyMap<number, Buffer | number>;
}

/** Reads a framed reply to `operation`. */
export function decodeReply(reply: Buffer, operation: number): Reply {
  if (reply.length < 4 || reply.readUInt32LE(0) !== reply.length - 4) {
    throw new Error(`the server closed after ${reply.length} bytes of its reply to operation ${operation}`);
  }
  const message = decodeFields(reply.subarray(4)).get(operation);
  if (!Buffer.isBuffer(message)) throw new Error(`the reply is not one to operation ${operation}`);
  const fields = decodeFields(message);
  const code = fields.get(1);
  if (typeof code !== "number") throw new Error(`the reply to operation ${operation} has no error code`);
  return { code, fields };
}

/** Bytes field `number` of a successful reply. */
export function replyBytes(reply: Reply, number: number): Buffer {
  const value = reply.fields.get(number);
  if (reply.code !== 0 || !Buffer.isBuffer(value))
    throw new Error(`AESM error ${reply.code}, or field ${number} absent`);
  return value;
}

const REPLY_DEADLINE_MS = 20_000;

/** One request on one connection, the whole reply back; fails when the server has not closed within 20 s. */
export async function exchange(socketPath: string, request: Uint8Array): Promise<Buffer> {
  const socket = createConnection(socketPath);
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.write(request);
  try {
    await once(socket, "end", { signal: AbortSignal.timeout(REPLY_DEADLINE_MS) });
  } finally {
    socket.destroy();
  }
  return Buffer.concat(chunks);
}

function defaultKeyId(): Buffer {
  const keyId = Buffer.alloc(256);
  keyId.writeUInt16LE(32, 4);
  keyId.write("8c4f5775d796503e96137f77c68a829a0056ac8ded70140b081b094490c57bff", 6, "hex");
  keyId.writeUInt32LE(1, 54);
  keyId.writeUInt32LE(2, 154);
  return keyId;
}

function frame(operation: number, body: Buffer): Buffer {
  const message = bytesField(operation, body);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(message.length);
  return Buffer.concat([length, message]);
}

function bytesField(number: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes]);
}

function varintField(number: number, value: number): Buffer {
  return Buffer.concat([varint(number << 3), varint(value)]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return Buffer.from([...bytes, rest]);
    bytes.push((rest & 0x7f) | 0x80);
  }
}

function decodeFields(bytes: Buffer): Map<number, Buffer | number> {
  const fields = new Map<number, Buffer | number>();
  let at = 0;
  const next = (): number => {
    let value = 0;
    for (let scale = 1; at < bytes.length; scale *= 128) {
      const byte = bytes.readUInt8(at++);
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw new Error("truncated reply");
  };
  while (at < bytes.length) {
    const tag = next();
    const value = next();
    if ((tag & 7) === 0) fields.set(tag >>> 3, value);
    else if ((tag & 7) === 2 && value <= bytes.length - at) {
      fields.set(tag >>> 3, bytes.subarray(at, at + value));
      at += value;
    } else throw new Error("malformed reply");
  }
  return fields;
}
