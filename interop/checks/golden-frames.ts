import { readdirSync } from "node:fs";
import { type Check, expect, expectEqual } from "../check.ts";
import { createReport, fixture } from "../confcom.ts";
import { bytesField, decodeFrame, encodeFrame, exchange, type Message, numberField, replaceFields } from "../frame.ts";
import { getQuoteSize, initQuote, quoteFields, type Scene } from "../scene.ts";

const INIT_QUOTE_EX = 15;
const GET_QUOTE_SIZE_EX = 16;
const GET_QUOTE_EX = 17;

/** The captured exchanges, those of one flow in their order. */
const EXCHANGES = readdirSync(new URL("../fixtures/aesm/", import.meta.url))
  .filter((name) => name.endsWith(".req"))
  .map((name) => name.slice(0, -".req".length))
  .sort();

/** What the daemon under test has in place of the stub's values. */
interface Real {
  readonly targetInfo: Uint8Array;
  readonly pubKeyId: string;
  readonly quoteSize: number;
  readonly report: Uint8Array;
}

export const goldenFrames: readonly Check<Scene>[] = [
  {
    name: "captured frames of Intel's client and gramine's: the daemon answers byte for byte as Intel's service",
    deadline: 180_000,
    async run(scene) {
      const helper = await scene.startFresh({});
      const { targetInfo, pubKeyId } = await initQuote(helper.socket);
      const report = await createReport({ targetInfo });
      const real: Real = { targetInfo, pubKeyId, quoteSize: await getQuoteSize(helper.socket), report };
      let unchanged = 0;
      for (const name of EXCHANGES) {
        const captured = fixture(`aesm/${name}.req`);
        const message = decodeFrame(captured);
        expect(captured.equals(encodeFrame(message)), `${name}: this check's own codec changes the request`);
        const request = withReal(message, real);
        if (captured.equals(encodeFrame(request))) unchanged++;
        const answer = await exchange(helper.socket, encodeFrame(request));
        const expected = expectedReply(decodeFrame(fixture(`aesm/${name}.res`)), request, decodeFrame(answer), real);
        expect(Buffer.from(answer).equals(expected), `${name}: ${difference(expected, answer)}`);
      }
      await helper.stop();
      return `${EXCHANGES.length} exchanges, ${unchanged} with the request untouched, the others but for report and size`;
    },
  },
  {
    name: "captured requests with their all-zero reports: 47, qe_report_info echoed",
    deadline: 180_000,
    async run(scene) {
      const { helper, quoteSize } = await scene.subject();
      let sent = 0;
      for (const name of EXCHANGES) {
        const captured = decodeFrame(fixture(`aesm/${name}.req`));
        if (captured.operation !== GET_QUOTE_EX) continue;
        // A buffer that is too small is refused before the report is looked at, as in Intel's library.
        const size = numberField(captured, 4) ?? 0;
        const requests: [Message, number][] = [[captured, size < quoteSize ? 3 : 47]];
        if (size < quoteSize) requests.push([replaceFields(captured, new Map([[4, BigInt(quoteSize)]])), 47]);
        for (const [request, code] of requests) {
          const fields = [{ number: 1, value: BigInt(code) }];
          const echoed = request.fields.filter((field) => field.number === 3);
          const expected = encodeFrame({ operation: GET_QUOTE_EX, fields: [...fields, ...echoed] });
          const answer = await exchange(helper.socket, encodeFrame(request));
          expect(Buffer.from(answer).equals(expected), `${name}: ${difference(expected, answer)}`);
          sent++;
        }
      }
      return `${sent} requests; a buffer below ${quoteSize} bytes gets 3, as in the capture`;
    },
  },
];

/** A captured request with the report and the buffer size that fit the daemon under test. */
function withReal(request: Message, real: Real): Message {
  if (request.operation !== GET_QUOTE_EX) return request;
  const size = numberField(request, 4) ?? 0;
  // 4734 is the captured quote's own size; 8192 and 100 are the callers' choices and stay.
  return replaceFields(request, quoteFields(real.report, size === 4734 ? real.quoteSize : size));
}

/** The captured reply with the stub's values replaced by those of the daemon under test. */
function expectedReply(captured: Message, request: Message, answer: Message, real: Real): Buffer {
  const values = new Map<number, bigint | Uint8Array>();
  if (captured.operation === INIT_QUOTE_EX && bytesField(captured, 4) !== undefined) {
    values.set(2, real.targetInfo).set(4, Buffer.from(real.pubKeyId, "hex"));
  } else if (captured.operation === GET_QUOTE_SIZE_EX) {
    values.set(2, BigInt(real.quoteSize));
  } else if (captured.operation === GET_QUOTE_EX && numberField(captured, 1) === 0) {
    values.set(2, checkedQuote(bytesField(answer, 2), request, real));
    const info = bytesField(request, 3);
    const qeReport = bytesField(answer, 3)?.subarray(528);
    if (info !== undefined && qeReport !== undefined) values.set(3, Buffer.concat([info.subarray(0, 528), qeReport]));
  }
  return Buffer.from(encodeFrame(replaceFields(captured, values)));
}

/** A quote is different each time; this looks at what is not: its size, its padding, the report in it. */
function checkedQuote(answered: Uint8Array | undefined, request: Message, real: Real): Uint8Array {
  const quote = Buffer.from(answered ?? []);
  expectEqual(quote.length, numberField(request, 4) ?? 0, "a quote is padded to buf_size");
  expectEqual(436 + quote.readUInt32LE(432), real.quoteSize, "the quote's own length");
  expect(quote.subarray(48, 432).equals(real.report.subarray(0, 384)), "the quote holds another report body");
  expect(
    quote.subarray(real.quoteSize).every((byte) => byte === 0),
    "the padding is not zero",
  );
  return quote;
}

function difference(expected: Uint8Array, actual: Uint8Array): string {
  let at = 0;
  while (at < expected.length && expected[at] === actual[at]) at++;
  const from = (bytes: Uint8Array) => Buffer.from(bytes.subarray(at, at + 16)).toString("hex");
  return `expected ${expected.length} bytes, got ${actual.length}; at byte ${at} expected ${from(expected)}, got ${from(actual)}`;
}
