import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DEFAULT_KEY_ID } from "../client/aesm-client.ts";
import { decodeResponse, encodeRequest } from "../messages/message-codec.ts";
import { RawConnection, sendRaw } from "../testing/raw-connection.ts";
import { RecordingPlatform } from "../testing/recording-platform.ts";
import { type Served, served, until } from "../testing/served.ts";
import type { AesmServerOptions } from "./aesm-server.ts";

const COUNT = encodeRequest({ operation: "get_supported_att_key_id_num", timeout: 15000 });
const COUNTED = "07000000aa010408001001";
const quoteRequest = (bufSize: number) =>
  encodeRequest({ operation: "get_quote_ex", report: new Uint8Array(432), attKeyId: DEFAULT_KEY_ID, bufSize });

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

async function normalCallWorks(path: string): Promise<void> {
  assert.equal(hex(await sendRaw(path, COUNT)), COUNTED);
}

for (const path of ["fast", "stream"] as const) {
  const withServer = (body: (served: Served) => Promise<void>, options: Partial<AesmServerOptions> = {}) =>
    served({ platform: new RecordingPlatform({ initialized: true }), path, ...options }, body);

  describe(`hostile input on the ${path} path`, () => {
    it("an empty body is closed without a reply", () =>
      withServer(async ({ path, server }) => {
        assert.equal(hex(await sendRaw(path, Uint8Array.of(0, 0, 0, 0))), "");
        assert.equal(server.counters.snapshot().dropped.malformed, 1);
      }));

    it("an unknown operation is closed without a reply", () =>
      withServer(async ({ path }) => {
        assert.equal(hex(await sendRaw(path, Uint8Array.of(2, 0, 0, 0, 0x2a, 0))), "");
      }));

    it("a length over the limit is closed on its header alone; the limit itself is read", () =>
      withServer(async ({ path, server }) => {
        assert.equal(hex(await sendRaw(path, Uint8Array.of(0xff, 0xff, 0xff, 0xff))), "");
        assert.equal(hex(await sendRaw(path, Uint8Array.of(1, 0, 1, 0))), "");
        assert.equal(server.counters.snapshot().dropped["message-too-large"], 2);
        const largest = new Uint8Array(4 + 65536);
        largest.set([0, 0, 1, 0, 0xaa, 0x01, 0x00, 0xfa, 0x01, 0xf6, 0xff, 0x03]);
        const reply = await sendRaw(path, largest);
        assert.equal(decodeResponse(reply.subarray(4)).operation, "get_supported_att_key_id_num");
      }));

    it("a buf_size of 1 GiB is 3 and allocates nothing", () =>
      withServer(async ({ path }) => {
        assert.equal(hex(await sendRaw(path, quoteRequest(0x40000000))), "050000008a01020803");
      }));

    it("two operations in one request get one reply, by Intel's order", () =>
      withServer(async ({ path }) => {
        const both = Uint8Array.from(Buffer.from("08000000aa0103489875 5200".replace(" ", ""), "hex"));
        assert.equal(hex(await sendRaw(path, both)), "060000005204081e1000");
      }));

    it("a pipelined second request: the first is answered, the second never", () =>
      withServer(async ({ path, server }) => {
        assert.equal(hex(await sendRaw(path, Uint8Array.from([...COUNT, ...COUNT]))), COUNTED);
        assert.equal(server.counters.snapshot().answers[0]?.count, 1);
      }));

    it("delivery byte by byte is fine, and so is a half-close after the request", () =>
      withServer(async ({ path }) => {
        const slow = await new RawConnection(path).opened();
        for (const byte of COUNT) {
          await slow.send(Uint8Array.of(byte));
          await new Promise((resolve) => setTimeout(resolve, 2));
        }
        slow.socket.end();
        assert.equal(hex(await slow.received()), COUNTED);
      }));

    it("a stalled byte delays nobody and is dropped after the time to receive", () =>
      withServer(
        async ({ path, server }) => {
          const stalled = await new RawConnection(path).opened();
          await stalled.send(Uint8Array.of(6));
          for (let i = 0; i < 20; i++) await normalCallWorks(path);
          assert.equal(hex(await stalled.received()), "");
          assert.equal(server.counters.snapshot().dropped["receive-timeout"], 1);
        },
        { limits: { receiveTimeout: 150 } },
      ));

    it("a client that leaves in mid-request is forgotten", () =>
      withServer(async ({ path, server }) => {
        const leaving = await new RawConnection(path).opened();
        await leaving.send(COUNT.subarray(0, 7));
        await until(() => server.counters.snapshot().open === 1);
        leaving.close();
        await until(() => server.counters.snapshot().open === 0);
        await normalCallWorks(path);
      }));

    it("above the connection limit the oldest idle one goes, and normal calls are served throughout", () =>
      withServer(
        async ({ path, server }) => {
          const idle: RawConnection[] = [];
          for (let i = 0; i < 30; i++) {
            idle.push(await new RawConnection(path).opened());
            if (i % 5 === 0) await normalCallWorks(path);
          }
          await until(() => server.counters.snapshot().dropped["too-many-connections"] >= 10);
          await Promise.all(idle.slice(0, 10).map((connection) => connection.received()));
          assert.ok(server.counters.snapshot().open <= 20);
          assert.equal((idle[29] as RawConnection).socket.destroyed, false);
          await normalCallWorks(path);
          for (const connection of idle) connection.close();
        },
        { limits: { maxConnections: 20, receiveTimeout: 60_000 } },
      ));

    it("incomplete requests hold a bounded number of bytes together", () =>
      withServer(
        async ({ path, server }) => {
          const half = new Uint8Array(40_000);
          half.set([0, 0xff, 0, 0]);
          const senders: RawConnection[] = [];
          for (let i = 0; i < 6; i++) {
            const sender = await new RawConnection(path).opened();
            void sender.send(half);
            senders.push(sender);
          }
          await until(() => server.counters.snapshot().dropped["too-many-bytes"] >= 3);
          await normalCallWorks(path);
          for (const sender of senders) sender.close();
        },
        { limits: { maxReceiving: 130_000 } },
      ));

    it("a reader that never reads costs its own reply only: what does not fit is dropped for want of progress", async () => {
      const platform = new RecordingPlatform({ initialized: true, quoteSize: 2_000_000 });
      const limits = { maxQuoteBuffer: 4_000_000, writeTimeout: 200 };
      await withServer(
        async ({ path, server }) => {
          const reader = await new RawConnection(path).opened();
          reader.socket.pause();
          await reader.send(quoteRequest(3_000_000));
          await normalCallWorks(path);
          await until(() => server.counters.snapshot().dropped["write-stalled"] === 1);
          reader.close();
        },
        { platform, limits },
      );
    });

    it("a slow reader that does read gets everything", async () => {
      const platform = new RecordingPlatform({ initialized: true, quoteSize: 2_000_000 });
      await withServer(
        async ({ path }) => {
          const reply = await sendRaw(path, quoteRequest(3_000_000));
          const response = decodeResponse(reply.subarray(4));
          assert.ok(response.operation === "get_quote_ex");
          assert.equal(response.quote?.length, 3_000_000);
        },
        { platform, limits: { maxQuoteBuffer: 4_000_000 } },
      );
    });

    it("1,000 random frames are answered or closed, and a normal call works afterwards", () =>
      withServer(async ({ path }) => {
        let seed = 1;
        const random = (): number => {
          seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
          return seed >>> 8;
        };
        for (let i = 0; i < 1_000; i++) {
          const body = Uint8Array.from({ length: random() % 64 }, () => random() & 0xff);
          if (i % 2 === 0 && body.length > 2) body.set([0x7a + 8 * (i % 3), random() % body.length]);
          const frame = Uint8Array.from([body.length, 0, 0, 0, ...body]);
          const reply = await sendRaw(path, frame);
          if (reply.length > 0) decodeResponse(reply.subarray(4));
        }
        await normalCallWorks(path);
      }));
  });
}
