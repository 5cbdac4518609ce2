import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DEFAULT_KEY_ID } from "../client/aesm-client.ts";
import { decodeResponse, encodeRequest } from "../messages/message-codec.ts";
import { RawConnection, sendRaw } from "../testing/raw-connection.ts";
import { RecordingPlatform } from "../testing/recording-platform.ts";
import { served, until } from "../testing/served.ts";

const quoteRequest = encodeRequest({
  operation: "get_quote_ex",
  report: new Uint8Array(432),
  attKeyId: DEFAULT_KEY_ID,
  qeReportInfo: new Uint8Array(960).fill(3),
  bufSize: 4734,
});
const countRequest = encodeRequest({ operation: "get_supported_att_key_id_num" });

const codeOf = (reply: Uint8Array): number => decodeResponse(reply.subarray(4)).errorCode;

for (const path of ["fast", "stream"] as const) {
  describe(`a platform that answers later, on the ${path} path`, () => {
    it("is asked one thing at a time, in order, and every caller gets its answer", async () => {
      const platform = new RecordingPlatform({ initialized: true, delayMs: 5 });
      await served({ platform, path }, async ({ path }) => {
        const replies = await Promise.all(Array.from({ length: 30 }, () => sendRaw(path, quoteRequest)));
        assert.deepEqual(new Set(replies.map(codeOf)), new Set([0]));
        assert.equal(platform.begun, 30);
        assert.equal(platform.mostAtOnce, 1);
      });
    });

    it("of 200 callers at once those beyond the queue get 18 with their qe_report_info, the others a quote", async () => {
      const platform = new RecordingPlatform({ initialized: true, delayMs: 10 });
      await served({ platform, path }, async ({ path }) => {
        const replies = await Promise.all(Array.from({ length: 200 }, () => sendRaw(path, quoteRequest)));
        const served = replies.filter((reply) => codeOf(reply) === 0).length;
        const busy = replies.filter((reply) => codeOf(reply) === 18);
        assert.ok(served >= 65 && busy.length > 0);
        assert.equal(served + busy.length, 200);
        const response = decodeResponse((busy[0] as Uint8Array).subarray(4));
        assert.ok(response.operation === "get_quote_ex" && response.qeReportInfo?.length === 960);
      });
    });

    it("calls that need no enclave do not wait for it", async () => {
      const platform = new RecordingPlatform({ initialized: true, delayMs: 60_000 });
      await served({ platform, path }, async ({ path }) => {
        const waiting = new RawConnection(path);
        await waiting.send(quoteRequest);
        await until(() => platform.begun === 1);
        assert.equal(codeOf(await sendRaw(path, countRequest)), 0);
        waiting.close();
        await until(() => platform.aborted === 1);
      });
    });

    it("work of callers that have gone is not done; a half-close is no going", async () => {
      const platform = new RecordingPlatform({ initialized: true, delayMs: 300 });
      await served({ platform, path }, async ({ path, server }) => {
        const first = sendRaw(path, quoteRequest);
        await until(() => platform.begun === 1);
        const leaving = Array.from({ length: 40 }, () => new RawConnection(path));
        await Promise.all(leaving.map((connection) => connection.send(quoteRequest)));
        const halfClosed = await new RawConnection(path).opened();
        await halfClosed.send(quoteRequest);
        halfClosed.socket.end();
        await until(() => server.counters.snapshot().waiting === 41);
        for (const connection of leaving) connection.close();
        assert.equal(codeOf(await first), 0);
        assert.equal(codeOf(await halfClosed.received()), 0);
        assert.equal(platform.begun, 2);
        assert.equal(server.counters.snapshot().dropped["caller-vanished"], 40);
      });
    });

    it("a caller that goes while its call runs aborts it", async () => {
      const platform = new RecordingPlatform({ initialized: true, delayMs: 60_000 });
      await served({ platform, path }, async ({ path }) => {
        const leaving = new RawConnection(path);
        await leaving.send(quoteRequest);
        await until(() => platform.begun === 1);
        leaving.close();
        await until(() => platform.aborted === 1);
      });
    });

    it("at the deadline a running call is aborted and answered 30, a waiting one 18", async () => {
      const deaf = new RecordingPlatform({ initialized: true });
      let signal: AbortSignal | undefined;
      deaf.getQuote = (_keyId, _report, _info, given) => {
        signal = given;
        return new Promise(() => undefined);
      };
      await served({ platform: deaf, path, limits: { answerTimeout: 150 } }, async ({ path }) => {
        const running = sendRaw(path, quoteRequest);
        await until(() => signal !== undefined);
        const waiting = sendRaw(path, quoteRequest);
        assert.equal(codeOf(await running), 30);
        assert.equal(signal?.aborted, true);
        assert.equal(codeOf(await waiting), 18);
      });
    });

    it("closing drains: whoever had connected is answered", async () => {
      const platform = new RecordingPlatform({ initialized: true, delayMs: 20 });
      await served({ platform, path }, async ({ path, server }) => {
        const replies = Array.from({ length: 10 }, () => sendRaw(path, quoteRequest));
        assert.equal(await server.drain({ deadline: 5_000 }), true);
        await server.close();
        assert.deepEqual(new Set((await Promise.all(replies)).map(codeOf)), new Set([0]));
      });
    });

    it("a platform that fails later is answered with its code or 1", async () => {
      const failing = new RecordingPlatform({ initialized: true, delayMs: 1 });
      failing.getQuote = () => Promise.reject(new Error("a defect"));
      await served({ platform: failing, path }, async ({ path, events }) => {
        assert.equal(codeOf(await sendRaw(path, quoteRequest)), 1);
        assert.match(JSON.stringify(events), /a defect/);
      });
    });
  });
}
