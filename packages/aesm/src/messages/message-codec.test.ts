import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { AesmOperationName } from "@confcom/sgx";
import fc from "fast-check";
import { AesmError } from "../errors.ts";
import { FrameAssembler, readFrameHeader } from "../framing.ts";
import { type AesmRequest, type AesmResponse, type Fields, REQUEST_FIELDS, RESPONSE_FIELDS } from "./fields.ts";
import {
  decodeRequest,
  decodeResponse,
  encodeRequest,
  encodeResponse,
  REQUEST_TABLE,
  RESPONSE_TABLE,
} from "./message-codec.ts";
import { MessageDecoder } from "./message-decoder.ts";
import { OPERATIONS } from "./operations.ts";

const OPERATION_NAMES = Object.keys(OPERATIONS) as AesmOperationName[];

const VALUES = {
  u32: fc.integer({ min: 0, max: 0xffffffff }),
  u64: fc.bigInt({ min: 0n, max: 0xffffffffffffffffn }),
  bool: fc.boolean(),
  bytes: fc.uint8Array({ maxLength: 300 }),
};

function anyMessage(messages: Readonly<Record<AesmOperationName, Fields>>): fc.Arbitrary<Record<string, unknown>> {
  const perOperation = OPERATION_NAMES.map((operation) => {
    const fields: Record<string, fc.Arbitrary<unknown>> = { operation: fc.constant(operation) };
    const required = ["operation"];
    for (const [name, [, kind, presence]] of Object.entries(messages[operation])) {
      fields[name] = VALUES[kind];
      if (presence === "required") required.push(name);
    }
    return fc.record(fields, { requiredKeys: required });
  });
  return fc.oneof(...perOperation);
}

function bytes(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"));
}

function recognise(hex: string): MessageDecoder {
  const decoder = new MessageDecoder(REQUEST_TABLE);
  const body = bytes(hex);
  decoder.decode(body, 0, body.length);
  return decoder;
}

describe("messages", () => {
  it("round trip: every request", () => {
    fc.assert(
      fc.property(anyMessage(REQUEST_FIELDS), (request) => {
        const frame = encodeRequest(request as unknown as AesmRequest);
        assert.equal(readFrameHeader(frame), frame.length - 4);
        assert.deepEqual({ ...decodeRequest(frame.subarray(4)) }, { ...request });
      }),
    );
  });

  it("round trip: every reply", () => {
    fc.assert(
      fc.property(anyMessage(RESPONSE_FIELDS), (response) => {
        const frame = encodeResponse(response as unknown as AesmResponse);
        assert.deepEqual({ ...decodeResponse(frame.subarray(4)) }, { ...response });
      }),
    );
  });

  it("arbitrary bytes decode or fail with this package's error, and slots stay inside the body", () => {
    const decoders = [new MessageDecoder(REQUEST_TABLE), new MessageDecoder(RESPONSE_TABLE)];
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat({ max: 20 }), (body, start) => {
        for (const decoder of decoders) {
          decoder.decode(body, Math.min(start, body.length), body.length);
          for (let field = 0; field < 16; field++) {
            const from = decoder.start[field] as number;
            if (decoder.has(field)) assert.ok(from + (decoder.length[field] as number) <= Math.max(body.length, from));
          }
        }
        for (const decode of [decodeRequest, decodeResponse]) {
          try {
            decode(body);
          } catch (error) {
            assert.ok(error instanceof AesmError);
          }
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it("a mutated request never makes the decoder throw", () => {
    const decoder = new MessageDecoder(REQUEST_TABLE);
    const mutation = fc.record({ at: fc.nat(), value: fc.nat({ max: 255 }), cut: fc.nat({ max: 60 }) });
    fc.assert(
      fc.property(anyMessage(REQUEST_FIELDS), fc.array(mutation, { maxLength: 4 }), (request, mutations) => {
        let body: Uint8Array = encodeRequest(request as unknown as AesmRequest).slice(4);
        for (const { at, value, cut } of mutations) {
          if (body.length === 0) break;
          body[at % body.length] = value;
          body = body.subarray(0, Math.max(0, body.length - (cut % 3)));
        }
        decoder.decode(body, 0, body.length);
      }),
      { numRuns: 1_000 },
    );
  });

  it("refuses to encode what does not fit", () => {
    const code = (run: () => unknown): string | undefined => {
      try {
        run();
      } catch (error) {
        return (error as AesmError).code;
      }
      return undefined;
    };
    assert.equal(
      code(() => encodeRequest({ operation: "get_supported_att_key_ids", bufSize: -1 })),
      "MESSAGE_VALUE",
    );
    assert.equal(
      code(() => encodeRequest({ operation: "init_quote_ex" } as unknown as AesmRequest)),
      "MESSAGE_INCOMPLETE",
    );
  });

  it("a reply without errorCode, or with trailing rubbish, is refused", () => {
    assert.throws(() => decodeResponse(bytes("aa0102 1001")), { code: "MESSAGE_INCOMPLETE" });
    assert.throws(() => decodeResponse(bytes("aa0104 0800 1001 ff")), { code: "MESSAGE_MALFORMED" });
    assert.throws(() => decodeResponse(bytes("")), { code: "MESSAGE_MALFORMED" });
  });
});

describe("Intel's parser, as far as its service lets it show", () => {
  it("nothing is recognised in an empty body, an unknown operation or a known one of another wire type", () => {
    assert.equal(recognise("").operation, 0);
    assert.equal(recognise("2a00").operation, 0);
    assert.equal(recognise("a20100").operation, 0);
    assert.equal(recognise("a80101").operation, 0);
  });

  it("a dangling tag counts as its sub-message: op 21 and a tag of op 1 is op 1", () => {
    assert.equal(recognise("aa0103 489875 0a").operation, 1);
  });

  it("what was recognised before the first error counts", () => {
    const decoder = recognise("aa0103 489875 07");
    assert.equal(decoder.operation, 21);
    assert.equal(decoder.malformed, true);
  });

  it("what follows the first error does not count", () => {
    assert.equal(recognise("aa0103 489875 04 1a00").operation, 21);
  });

  it("of several sub-messages the first in the order 3, 1, 2, 4, 18, 10 ... counts, with its own fields", () => {
    const decoder = recognise("b20103 088002  5a02 0864  aa0100");
    assert.equal(decoder.operation, 11);
    assert.equal(decoder.low[1], 100);
    assert.equal(recognise("0a00 1a00").operation, 3);
    assert.equal(recognise("9a0100 aa0100 920100").operation, 18);
    assert.equal(recognise("5a02 0864  0a02 4801").has(1), false);
  });

  it("a repeated sub-message merges into the first", () => {
    const decoder = recognise("7a02 1801  7a02 2020");
    assert.equal(decoder.low[3], 1);
    assert.equal(decoder.low[4], 32);
    assert.equal(decoder.complete, true);
  });

  it("a truncated field counts with what there is of it", () => {
    const decoder = recognise("7a20 1801 0a05 aabb");
    assert.equal(decoder.operation, 15);
    assert.equal(decoder.length[1], 2);
    assert.equal(decoder.complete, true);
    assert.equal(decoder.malformed, true);
  });

  it("unknown fields of every wire type are skipped, groups included", () => {
    const decoder = recognise("f801 05  f901 0102030405060708  fa01 02 aabb  fb01 0801 fc01  fd01 01020304  aa0100");
    assert.equal(decoder.operation, 21);
    assert.equal(decoder.malformed, false);
  });

  it("groups deeper than 100 end the parse", () => {
    assert.equal(recognise(`${"0b".repeat(90)}${"0c".repeat(90)}aa0100`).operation, 21);
    assert.equal(recognise(`${"0b".repeat(200)}${"0c".repeat(200)}aa0100`).operation, 0);
  });

  it("a u64 keeps all its bits", () => {
    const decoder = recognise("7a0d 1800 2099f1d9a2a3c2ff3f 4801");
    assert.equal((BigInt(decoder.high[4] as number) << 32n) | BigInt(decoder.low[4] as number), decodedGarbage());
  });
});

/** 99f1d9a2a3c2ff3f by the definition of a varint. */
function decodedGarbage(): bigint {
  return [...bytes("99f1d9a2a3c2ff3f")].reduce((sum, byte, i) => sum | (BigInt(byte & 0x7f) << BigInt(7 * i)), 0n);
}

describe("framing", () => {
  it("assembles a frame from chunks of any size and keeps out what follows it", () => {
    const body = fc.uint8Array({ maxLength: 500 });
    fc.assert(
      fc.property(body, fc.uint8Array({ maxLength: 9 }), fc.integer({ min: 1, max: 40 }), (content, rest, step) => {
        const frame = new Uint8Array(4 + content.length);
        frame[0] = content.length & 0xff;
        frame[1] = content.length >> 8;
        frame.set(content, 4);
        const stream = Uint8Array.from([...frame, ...rest]);
        const assembler = new FrameAssembler(500);
        for (let at = 0; at < stream.length && !assembler.complete; at += step)
          assembler.push(stream.slice(at, at + step));
        assert.equal(assembler.complete, true);
        assert.deepEqual(assembler.frame(), frame);
      }),
    );
  });

  it("refuses a length above the limit as soon as the header is there", () => {
    const assembler = new FrameAssembler(65536);
    assembler.push(bytes("ffffff"));
    assert.equal(assembler.oversized, false);
    assembler.push(bytes("ff"));
    assert.equal(assembler.oversized, true);
    assert.equal(assembler.complete, false);
  });

  it("an empty body is a complete frame", () => {
    const assembler = new FrameAssembler(65536);
    assembler.push(bytes("00000000"));
    assert.equal(assembler.complete, true);
    assert.equal(assembler.frame().length, 4);
  });
});
