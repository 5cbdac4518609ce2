import { connect } from "node:net";

const MAX_REPLY = 1024 * 1024;
const REPLY_DEADLINE = 30_000;

/**
 * Sends the bytes of one framed request (4-byte length included) on a connection of its own and returns the framed
 * reply. No client library in between: what a captured client wrote is what the server reads (spec: AESM §2).
 * An empty result means that the server closed without an answer.
 */
export async function exchange(socketPath: string, request: Uint8Array): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath);
    const chunks: Buffer[] = [];
    let size = 0;
    socket.setTimeout(REPLY_DEADLINE, () => socket.destroy(new Error(`no reply after ${REPLY_DEADLINE / 1000} s`)));
    socket.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      size += chunk.length;
      if (size > MAX_REPLY) socket.destroy(new Error(`a reply over ${MAX_REPLY} bytes`));
    });
    socket.once("error", reject);
    socket.once("close", () => resolve(Buffer.concat(chunks)));
    socket.write(request);
  });
}

/** One field of a protobuf message: a varint as bigint, or bytes. */
export interface Field {
  readonly number: number;
  readonly value: bigint | Uint8Array;
}

/** A framed AESM message: the operation (the number of its only sub-message) and that message's fields, in order. */
export interface Message {
  readonly operation: number;
  readonly fields: readonly Field[];
}

/** Decodes a frame without knowing the message definitions; throws when length or encoding do not add up. */
export function decodeFrame(frame: Uint8Array): Message {
  if (frame.length < 4)
    throw new Error(frame.length === 0 ? "closed without a reply" : `a frame of ${frame.length} bytes`);
  const announced = new DataView(frame.buffer, frame.byteOffset).getUint32(0, true);
  if (announced !== frame.length - 4) throw new Error(`frame announces ${announced} bytes and has ${frame.length - 4}`);
  const outer = decodeFields(frame.subarray(4));
  const only = outer[0];
  if (outer.length !== 1 || only === undefined || typeof only.value === "bigint") {
    throw new Error(`expected one sub-message, found ${outer.length} fields`);
  }
  return { operation: only.number, fields: decodeFields(only.value) };
}

/** The inverse of {@link decodeFrame}: shortest varints, fields in the given order. */
export function encodeFrame(message: Message): Uint8Array {
  const body = encodeFields([{ number: message.operation, value: encodeFields(message.fields) }]);
  const frame = Buffer.alloc(4 + body.length);
  frame.writeUInt32LE(body.length, 0);
  frame.set(body, 4);
  return frame;
}

/** The value of a varint field, or undefined when it is absent. */
export function numberField(message: Message, number: number): number | undefined {
  const value = message.fields.find((field) => field.number === number)?.value;
  return typeof value === "bigint" ? Number(value) : undefined;
}

/** The value of a bytes field, or undefined when it is absent. */
export function bytesField(message: Message, number: number): Uint8Array | undefined {
  const value = message.fields.find((field) => field.number === number)?.value;
  return typeof value === "bigint" ? undefined : value;
}

/** The message with the values of some of its fields replaced; fields it does not have stay absent. */
export function replaceFields(message: Message, values: ReadonlyMap<number, bigint | Uint8Array>): Message {
  const fields = message.fields.map((field) => ({
    number: field.number,
    value: values.get(field.number) ?? field.value,
  }));
  return { operation: message.operation, fields };
}

function decodeFields(bytes: Uint8Array): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) throw new Error("a varint runs over the end of its message");
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new Error("a varint of more than ten bytes");
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const number = tag >>> 3;
    if ((tag & 7) === 0) {
      fields.push({ number, value: varint() });
    } else if ((tag & 7) === 2) {
      const length = Number(varint());
      if (length > bytes.length - at) throw new Error(`field ${number} runs over the end of its message`);
      fields.push({ number, value: bytes.subarray(at, at + length) });
      at += length;
    } else {
      throw new Error(`field ${number} has wire type ${tag & 7}`);
    }
  }
  return fields;
}

function encodeFields(fields: readonly Field[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const { number, value } of fields) {
    if (typeof value === "bigint") parts.push(encodeVarint(BigInt(number) << 3n), encodeVarint(value));
    else parts.push(encodeVarint((BigInt(number) << 3n) | 2n), encodeVarint(BigInt(value.length)), value);
  }
  return Buffer.concat(parts);
}

function encodeVarint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest === 0n ? low : low | 0x80);
  } while (rest !== 0n);
  return Uint8Array.from(bytes);
}
