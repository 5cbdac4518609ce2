import assert from "node:assert/strict";
import { chmodSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { describe, it } from "node:test";
import { ECDSA_P256_KEY_ID, encodeAttestationKeyId } from "@confcom/sgx";
import { AesmServer } from "../server/aesm-server.ts";
import { RecordingPlatform, STUB_PUB_KEY_ID, STUB_TARGET_INFO } from "../testing/recording-platform.ts";
import { inTemporaryDirectory, served } from "../testing/served.ts";
import { AesmClient } from "./aesm-client.ts";

/** A service that does with each connection what a test says. */
async function misbehaving(
  serve: (socket: Socket) => void,
  body: (client: AesmClient) => Promise<void>,
): Promise<void> {
  await inTemporaryDirectory(async (directory) => {
    const socketPath = join(directory, "aesm.socket");
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => undefined);
      serve(socket);
    });
    await new Promise<void>((resolve) => server.listen(socketPath, resolve));
    try {
      await body(new AesmClient({ socketPath }));
    } finally {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    }
  });
}

/** Begins something as a user who has no rights here; the first connection attempt is made within the call. */
function withoutRights<T>(begin: () => T): T {
  if (process.geteuid?.() !== 0) return begin();
  process.seteuid?.(65534);
  try {
    return begin();
  } finally {
    process.seteuid?.(0);
  }
}

const replying = (hex: string) => (socket: Socket) => {
  socket.on("data", () => socket.end(Buffer.from(hex, "hex")));
};

describe("client", () => {
  it("counts, lists and selects key ids", () =>
    served({ platform: new RecordingPlatform() }, async ({ path }) => {
      const client = new AesmClient({ socketPath: path });
      const keyId = encodeAttestationKeyId(ECDSA_P256_KEY_ID, 256);
      assert.equal(await client.supportedKeyIdCount(), 1);
      assert.deepEqual(await client.supportedKeyIds(), [keyId]);
      assert.deepEqual(await client.selectKeyId(), keyId);
      const mine = keyId.with(170, 1);
      assert.deepEqual(await client.selectKeyId([new Uint8Array(256), mine]), mine);
    }));

  it("makes a quote: size query, init, report for the target, size, quote", () =>
    served({ platform: new RecordingPlatform() }, async ({ path }) => {
      const client = new AesmClient({ socketPath: path });
      const qeReportInfo = new Uint8Array(960).fill(1);
      const received = await client.quote(
        (targetInfo) => {
          assert.deepEqual(targetInfo, STUB_TARGET_INFO);
          return new Uint8Array(432);
        },
        { qeReportInfo },
      );
      assert.equal(received.quote.length, 4734);
      assert.deepEqual(received.pubKeyId, STUB_PUB_KEY_ID);
      assert.deepEqual(received.qeReportInfo?.subarray(0, 528), qeReportInfo.subarray(0, 528));
    }));

  it("does everything again when the key is gone in between (42), with a new report, 5 times at most", async () => {
    for (const [failures, outcome] of [
      [4, "quote"],
      [5, 42],
    ] as const) {
      const platform = new RecordingPlatform();
      let left = failures;
      platform.initQuote = () => {
        const keep = left-- > 0 ? new RecordingPlatform() : new RecordingPlatform({ initialized: true });
        platform.quoteSize = () => keep.quoteSize();
        return { targetInfo: STUB_TARGET_INFO, pubKeyId: STUB_PUB_KEY_ID };
      };
      platform.getQuote = () => ({ quote: new Uint8Array(4734) });
      await served({ platform }, async ({ path }) => {
        let reports = 0;
        const quote = new AesmClient({ socketPath: path }).quote(() => {
          reports++;
          return new Uint8Array(432);
        });
        if (outcome === "quote") assert.equal((await quote).quote.length, 4734);
        else await assert.rejects(quote, { aesm: 42 });
        assert.equal(reports, 5);
      });
    }
  });

  it("a refusal carries the AESM code, its name, and what Intel's client would return", () =>
    served({ platform: new RecordingPlatform({ keyIds: [] }) }, async ({ path }) => {
      const client = new AesmClient({ socketPath: path });
      await assert.rejects(client.quoteSize(), {
        code: "SERVICE_REFUSED",
        operation: "get_quote_size_ex",
        aesm: 38,
        aesmName: "UNSUPPORTED_ATT_KEY_ID",
        status: 0x8001,
        statusName: "SGX_ERROR_UNSUPPORTED_ATT_KEY_ID",
      });
      await assert.rejects(client.supportedKeyIdCount(), { aesm: 30, status: 0x4001 });
      await assert.rejects(client.supportedKeyIds(), { aesm: 30 });
    }));

  it("any operation can be asked as it is", () =>
    served({ platform: new RecordingPlatform() }, async ({ path }) => {
      const reply = await new AesmClient({ socketPath: path }).request("check_update_status", {
        updateInfoSize: 12,
        config: 0,
      });
      assert.deepEqual({ ...reply }, { operation: "check_update_status", errorCode: 30, status: 0 });
    }));

  it("nobody listening is 0x4001, after a bounded number of attempts", () =>
    inTemporaryDirectory(async (directory) => {
      const client = new AesmClient({ socketPath: join(directory, "nobody"), connectAttempts: 2 });
      await assert.rejects(client.supportedKeyIdCount(), { code: "SERVICE_UNREACHABLE", status: 0x4001 });
    }));

  it("a socket one may not write to is 0x4001 and says so, without another attempt", () =>
    served({ platform: new RecordingPlatform() }, async ({ path, server }) => {
      chmodSync(path, 0);
      await assert.rejects(
        withoutRights(() => new AesmClient({ socketPath: path }).supportedKeyIdCount()),
        { code: "SERVICE_UNREACHABLE", status: 0x4001, message: /permission denied \(EACCES\).*run as a user/ },
      );
      assert.equal(server.counters.snapshot().accepted, 0);
    }));

  it("what cannot be a path is refused before anything is tried", async () => {
    for (const socketPath of ["", "\0abstract", "a\0b", "x".repeat(108)]) {
      const asked = new AesmClient({ socketPath }).supportedKeyIdCount();
      await assert.rejects(asked, {
        code: "SOCKET_PATH",
        status: 0x4001,
        message: /^the socket path .*(empty|NUL|107)/,
      });
    }
  });

  it("a service that comes up meanwhile is found", () =>
    inTemporaryDirectory(async (directory) => {
      const socketPath = join(directory, "aesm.socket");
      const server = new AesmServer({ platform: new RecordingPlatform() });
      const asked = new AesmClient({ socketPath, connectAttempts: 6 }).supportedKeyIdCount();
      await server.listen({ path: socketPath });
      assert.equal(await asked, 1);
      await server.close();
    }));

  it("a service that does not answer is 0x4002 after the time given", () =>
    misbehaving(
      () => undefined,
      async (client) => {
        await assert.rejects(client.supportedKeyIdCount({ timeoutMs: 60 }), {
          code: "SERVICE_TIMEOUT",
          status: 0x4002,
        });
      },
    ));

  it("a caller may cancel", () =>
    misbehaving(
      () => undefined,
      async (client) => {
        const abort = new AbortController();
        const asked = client.supportedKeyIdCount({ signal: abort.signal });
        abort.abort();
        await assert.rejects(asked, { code: "REQUEST_CANCELLED" });
        await assert.rejects(client.supportedKeyIdCount({ signal: abort.signal }), { code: "REQUEST_CANCELLED" });
      },
    ));

  it("a connection closed early, a wrong reply and a huge one are 0x0001", async () => {
    const cases: [string, string][] = [
      ["", "SERVICE_CLOSED"],
      ["0700", "SERVICE_CLOSED"],
      ["07000000aa0104", "SERVICE_CLOSED"],
      ["00000000", "MESSAGE_MALFORMED"],
      ["040000000a02081e", "RESPONSE_MISMATCH"],
      ["05000000aa01020800", "RESPONSE_MISMATCH"],
      ["ffffffff", "RESPONSE_TOO_LARGE"],
    ];
    for (const [hex, code] of cases) {
      await misbehaving(replying(hex), async (client) => {
        await assert.rejects(client.supportedKeyIdCount(), { code, status: 1 }, `${hex} ${code}`);
      });
    }
  });

  it("a target info or quote of another size than asked is refused", () =>
    misbehaving(replying("0b0000007a09080012020102 181f 2200".replaceAll(" ", "")), async (client) => {
      await assert.rejects(client.initQuote(undefined, { pubKeyIdSize: 32 }), { status: 1 });
    }));
});
