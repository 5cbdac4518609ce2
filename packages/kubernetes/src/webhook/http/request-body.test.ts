import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { BodyRoom } from "./body-room.ts";
import { BodyError, requestBody } from "./request-body.ts";

const TIMERS = { setTimeout: () => undefined, clearTimeout: () => {} };
const LIMITS = { bodyBytes: 100_000, bodyTimeoutMs: 1 };

function coming(length: number) {
  const stream = new PassThrough();
  const message = { headers: { "content-length": String(length) }, socket: { remoteAddress: "::1" } };
  return { stream, request: Object.assign(stream, message) as unknown as IncomingMessage };
}

test("a body that comes byte by byte is read whole and holds no more than was announced", async () => {
  const room = new BodyRoom(1_000_000);
  const text = "0123456789".repeat(3_000);
  const { stream, request } = coming(text.length);
  const reading = requestBody(request, LIMITS, room, TIMERS);
  for (const byte of text) stream.write(byte);
  stream.end();
  const { body, release } = await reading;
  assert.equal(body.toString(), text);
  assert.equal(room.held, text.length);
  release();
  assert.equal(room.held, 0);
});

test("a body of which nothing comes holds nothing", async () => {
  const room = new BodyRoom(1_000);
  const { stream, request } = coming(100_000);
  const reading = requestBody(request, LIMITS, room, TIMERS);
  assert.equal(room.held, 0);
  stream.destroy();
  await assert.rejects(reading, (error) => error instanceof BodyError && error.status === undefined);
});

test("a body that is too large is not begun", async () => {
  const { request } = coming(100_001);
  await assert.rejects(requestBody(request, LIMITS, new BodyRoom(1), TIMERS), { status: 413 });
});
