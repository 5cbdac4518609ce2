import { randomBytes } from "node:crypto";
import { DEFAULT_KEY_ID } from "../client/aesm-client.ts";
import { decodeResponse, encodeRequest } from "../messages/message-codec.ts";
import { RawConnection, sendRaw } from "../testing/raw-connection.ts";

/** Something a bad or unlucky client does. `run` returns, in a few words, what it got. */
export interface Scenario {
  readonly name: string;
  run(path: string): Promise<string>;
}

const count = encodeRequest({ operation: "get_supported_att_key_id_num" });
const quote = (bufSize: number) =>
  encodeRequest({ operation: "get_quote_ex", report: new Uint8Array(432), attKeyId: DEFAULT_KEY_ID, bufSize });

/** The synchronous or asynchronous platform does not matter to these. */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: "1 stalled byte",
    run: async (path) => {
      const connection = await new RawConnection(path).opened();
      const start = performance.now();
      await connection.send(Uint8Array.of(6));
      const reply = await connection.received();
      return `${describeReply(reply)} after ${((performance.now() - start) / 1000).toFixed(1)} s`;
    },
  },
  { name: "header FF FF FF FF", run: async (path) => describeReply(await sendRaw(path, new Uint8Array(4).fill(0xff))) },
  { name: "buf_size 1 GiB", run: async (path) => describeReply(await sendRaw(path, quote(1 << 30))) },
  { name: "5,000 idle connections", run: (path) => idleConnections(path, 5_000) },
  { name: "10,000 random frames", run: (path) => randomFrames(path, 10_000) },
  { name: "an empty body", run: async (path) => describeReply(await sendRaw(path, new Uint8Array(4))) },
  {
    name: "two operations in one request (21, 10)",
    run: async (path) => describeReply(await sendRaw(path, Uint8Array.of(5, 0, 0, 0, 0xaa, 1, 0, 0x52, 0))),
  },
  {
    name: "a pipelined second request",
    run: async (path) => describeReply(await sendRaw(path, Uint8Array.from([...count, ...count]))),
  },
  { name: "200 readers that never read", run: (path) => deafReaders(path, 200) },
  { name: "500 clients killed in mid-request", run: (path) => leavers(path, 500) },
];

function describeReply(reply: Uint8Array): string {
  if (reply.length === 0) return "closed without a reply";
  const { operation, errorCode } = decodeResponse(reply.subarray(4));
  return `${operation}: ${errorCode}`;
}

async function idleConnections(path: string, number: number): Promise<string> {
  const idle: RawConnection[] = [];
  for (let i = 0; i < number; i++) {
    idle.push(await new RawConnection(path).opened());
    // At a pace that leaves the callers' machine room: what is measured is the server.
    if (i % 50 === 49) await pause(5);
  }
  const dropped = (): number => idle.filter((connection) => connection.socket.destroyed).length;
  await pause(200);
  const atOnce = dropped();
  await pause(2_500);
  const summary = `${atOnce} dropped above the limit, ${dropped()} in all after 2 s`;
  for (const connection of idle) connection.close();
  return summary;
}

async function randomFrames(path: string, number: number): Promise<string> {
  let closed = 0;
  let answered = 0;
  for (let i = 0; i < number; i++) {
    const body = randomBytes(1 + (i % 80));
    // Half of them start as an operation, so that more than the first byte is looked at.
    if (i % 2 === 0 && body.length > 3) body.set([i % 4 === 0 ? 0x82 : 0x8a, 0x01, body.length - 3]);
    const frame = Buffer.concat([Buffer.of(body.length, 0, 0, 0), body]);
    const reply = await sendRaw(path, frame);
    if (reply.length === 0) closed++;
    else {
      decodeResponse(reply.subarray(4));
      answered++;
    }
  }
  return `${closed} closed, ${answered} answered with their own sub-message`;
}

async function deafReaders(path: string, number: number): Promise<string> {
  const readers: RawConnection[] = [];
  for (let i = 0; i < number; i++) {
    const reader = await new RawConnection(path).opened();
    reader.socket.pause();
    await reader.send(quote(65_536));
    readers.push(reader);
  }
  await pause(2_500);
  for (const reader of readers) reader.close();
  return "replies left in the kernel, connections closed";
}

async function leavers(path: string, number: number): Promise<string> {
  for (let i = 0; i < number; i++) {
    const leaver = await new RawConnection(path).opened();
    await leaver.send(quote(8192).subarray(0, 100));
    leaver.close();
  }
  return "forgotten";
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
