import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { decodeRequest, decodeResponse, encodeRequest, encodeResponse } from "../messages/message-codec.ts";
import { sendRaw } from "../testing/raw-connection.ts";
import { RecordingPlatform } from "../testing/recording-platform.ts";
import { served } from "../testing/served.ts";

const FIXTURES = new URL("../fixtures/", import.meta.url);

interface Exchange {
  readonly name: string;
  readonly request: Uint8Array;
  readonly response: Uint8Array;
}

/** The captured flows by name, each a list of exchanges in order. */
const FLOWS: ReadonlyMap<string, readonly Exchange[]> = (() => {
  const flows = new Map<string, Exchange[]>();
  const requests = readdirSync(FIXTURES).filter((file) => file.endsWith(".req"));
  for (const file of requests.sort()) {
    const name = file.slice(0, -4);
    const flow = name.replace(/\.\d+$/, "");
    const read = (end: string): Uint8Array => Uint8Array.from(readFileSync(new URL(`${name}.${end}`, FIXTURES)));
    flows.set(flow, [...(flows.get(flow) ?? []), { name, request: read("req"), response: read("res") }]);
  }
  return flows;
})();

/** Flows that start on a service where init_quote_ex had already been called. */
const AFTER_INIT = new Set(["intel-quote", "intel-size", "intel-quote-qe", "intel-quote-smallbuf"]);

describe("captured frames", () => {
  it("are all there", () => {
    assert.equal([...FLOWS.values()].flat().length, 29);
  });

  for (const [flow, exchanges] of FLOWS) {
    for (const path of ["fast", "stream"] as const) {
      it(`${flow}: the ${path} path answers as Intel's service did`, async () => {
        const platform = new RecordingPlatform({ initialized: AFTER_INIT.has(flow) });
        await served({ platform, path }, async ({ path: socketPath }) => {
          for (const { name, request, response } of exchanges) {
            const reply = await sendRaw(socketPath, request);
            assert.deepEqual(withoutQuote(reply), withoutQuote(response), name);
          }
        });
      });
    }
  }

  it("every request and reply is written again byte for byte", () => {
    for (const { name, request, response } of [...FLOWS.values()].flat()) {
      assert.deepEqual(encodeRequest(decodeRequest(request.subarray(4))), request, name);
      assert.deepEqual(encodeResponse(decodeResponse(response.subarray(4))), response, name);
    }
  });

  it("a quote's padding reaches to buf_size and its qe_report_info keeps nonce and target", () => {
    const exchange = FLOWS.get("intel-quote-qe")?.[0] as Exchange;
    const reply = decodeResponse(exchange.response.subarray(4));
    assert.ok(reply.operation === "get_quote_ex" && reply.quote !== undefined);
    assert.equal(reply.quote.length, 8192);
    assert.equal(reply.qeReportInfo?.length, 960);
  });
});

/** The frame with quote and QE report zeroed: the stub's filler stands for what a signature would be. */
function withoutQuote(frame: Uint8Array): Uint8Array {
  const reply = decodeResponse(frame.subarray(4));
  if (reply.operation !== "get_quote_ex" || reply.quote === undefined) return frame;
  const qeReportInfo = reply.qeReportInfo?.slice().fill(0, 528);
  return encodeResponse({ ...reply, quote: reply.quote.slice().fill(0), qeReportInfo });
}
