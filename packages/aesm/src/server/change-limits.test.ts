import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_KEY_ID } from "../client/aesm-client.ts";
import { decodeResponse, encodeRequest } from "../messages/message-codec.ts";
import { sendRaw } from "../testing/raw-connection.ts";
import { RecordingPlatform } from "../testing/recording-platform.ts";
import { served } from "../testing/served.ts";
import { DEFAULT_LIMITS } from "./limits.ts";

const codeOf = (reply: Uint8Array): number => decodeResponse(reply.subarray(4)).errorCode;
const quoteInto = (bufSize: number) =>
  encodeRequest({ operation: "get_quote_ex", report: new Uint8Array(432).fill(1), attKeyId: DEFAULT_KEY_ID, bufSize });

test("limits change while the server runs, in both directions", async () => {
  await served({ platform: new RecordingPlatform({ initialized: true }) }, async ({ path, server }) => {
    assert.equal(codeOf(await sendRaw(path, quoteInto(70_000))), 3);
    server.changeLimits({ ...DEFAULT_LIMITS, maxQuoteBuffer: 100_000 });
    assert.equal(codeOf(await sendRaw(path, quoteInto(70_000))), 0);
    server.changeLimits({ ...DEFAULT_LIMITS, maxMessage: 512 });
    assert.equal((await sendRaw(path, quoteInto(8192))).length, 0, "a request over the new cap is not answered");
    server.changeLimits(DEFAULT_LIMITS);
    assert.equal(codeOf(await sendRaw(path, quoteInto(8192))), 0);
  });
});
