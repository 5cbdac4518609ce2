import { DEFAULT_KEY_ID } from "../client/aesm-client.ts";
import { decodeResponse, encodeRequest } from "../messages/message-codec.ts";
import { RawConnection, sendRaw } from "../testing/raw-connection.ts";
import { RecordingPlatform } from "../testing/recording-platform.ts";
import { served, until } from "../testing/served.ts";

const quote = encodeRequest({
  operation: "get_quote_ex",
  report: new Uint8Array(432),
  attKeyId: DEFAULT_KEY_ID,
  bufSize: 4734,
});

/** 200 callers at once on a platform that takes 50 ms for each quote. */
export async function manyCallers(): Promise<string> {
  const platform = new RecordingPlatform({ initialized: true, delayMs: 50 });
  let summary = "";
  await served({ platform }, async ({ path }) => {
    const replies = await Promise.all(Array.from({ length: 200 }, () => sendRaw(path, quote)));
    const codes = replies.map((reply) => decodeResponse(reply.subarray(4)).errorCode);
    const of = (code: number): number => codes.filter((each) => each === code).length;
    summary = `${of(0)} quotes, ${of(18)} answered 18 (BUSY), ${200 - of(0) - of(18)} anything else`;
  });
  return summary;
}

/** 40 callers that are killed while a quote for another one is being made. */
export async function killedCallers(): Promise<string> {
  const platform = new RecordingPlatform({ initialized: true, delayMs: 50 });
  let summary = "";
  await served({ platform }, async ({ path, server }) => {
    const first = sendRaw(path, quote);
    await until(() => platform.begun === 1);
    const killed = Array.from({ length: 40 }, () => new RawConnection(path));
    await Promise.all(killed.map((connection) => connection.send(quote)));
    for (const connection of killed) connection.close();
    await first;
    await sendRaw(path, quote);
    const vanished = server.counters.snapshot().dropped["caller-vanished"];
    summary = `${platform.begun - 2} of 40 executed, ${vanished} found gone`;
  });
  return summary;
}
