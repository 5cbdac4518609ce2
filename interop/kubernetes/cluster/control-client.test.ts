import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { ControlClient } from "./control-client.ts";
import { type ControlRequest, receiveLines, sendLine } from "./control-protocol.ts";
import { ClusterError } from "./errors.ts";

let directory = "";
let server: Server;
let answer: (socket: Socket, request: ControlRequest & { id: number }) => void = () => {};

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "confcom-control-"));
  server = createServer((socket) => {
    receiveLines<ControlRequest & { id: number }>(socket, (request) => answer(socket, request));
  });
  await new Promise<void>((resolve) => server.listen(join(directory, "s"), resolve));
});
afterEach(() => {
  server.close();
  rmSync(directory, { recursive: true });
});

const failsWith = (code: string) => (error: unknown) => error instanceof ClusterError && error.code === code;

test("answers find their questions in whatever order they come", async () => {
  const waiting: number[] = [];
  answer = (socket, { id }) => {
    waiting.push(id);
    if (waiting.length < 2) return;
    sendLine(socket, { id: waiting[1], ok: false, code: "UNKNOWN_NODE", message: "no such" });
    sendLine(socket, { id: waiting[0], ok: true });
  };
  const client = await ControlClient.connect(join(directory, "s"));
  const first = client.ask({ method: "ready" });
  await assert.rejects(client.ask({ method: "start", service: "x/y" }), failsWith("UNKNOWN_NODE"));
  await first;
  client.close();
});

test("progress goes to the log while a question is open", async () => {
  const lines: string[] = [];
  answer = (socket, { id }) => {
    sendLine(socket, { line: "half way" });
    sendLine(socket, { id, ok: true });
  };
  const client = await ControlClient.connect(join(directory, "s"));
  client.log = (line) => lines.push(line);
  await client.ask({ method: "ready" });
  assert.deepEqual(lines, ["half way"]);
  client.close();
});

test("a supervisor that ends fails every open question, and every later one", async () => {
  answer = (socket) => socket.destroy();
  const client = await ControlClient.connect(join(directory, "s"));
  await assert.rejects(client.ask({ method: "down" }), failsWith("NOT_RUNNING"));
  await assert.rejects(client.ask({ method: "down" }), failsWith("NOT_RUNNING"));
});

test("a supervisor that talks nonsense is hung up on", async () => {
  answer = (socket) => socket.write("{nonsense\n");
  const client = await ControlClient.connect(join(directory, "s"));
  await assert.rejects(client.ask({ method: "ready" }), failsWith("NOT_RUNNING"));
});
