import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  Aesm,
  type AttestationKeyId,
  ECDSA_P256_KEY_ID,
  encodeAttestationKeyId,
  encodeKeyIdList,
  Quote3,
} from "@confcom/sgx";
import type { AesmRequest, AesmResponse } from "../messages/fields.ts";
import { decodeResponse, encodeRequest } from "../messages/message-codec.ts";
import { replyCapacity } from "../messages/reply-writer.ts";
import { QuotingError } from "../platform.ts";
import { RecordingPlatform, type RecordingPlatformOptions, STUB_PUB_KEY_ID } from "../testing/recording-platform.ts";
import { ServerCounters } from "./counters.ts";
import { Dispatcher, NEEDS_PLATFORM } from "./dispatch.ts";
import { EventReporter, type ServerEvent } from "./events.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { refusalOf } from "./refusal.ts";

const KEY = encodeAttestationKeyId(ECDSA_P256_KEY_ID, 256);
const EPID: AttestationKeyId = { ...ECDSA_P256_KEY_ID, algorithmId: 1, mrSigner: new Uint8Array(32).fill(0xec) };
const OUT = new Uint8Array(replyCapacity(65536, 65536));
/** What lay in the buffer before must not show. */
OUT.fill(0xdd);

interface Asked {
  readonly frame: Uint8Array;
  readonly response: AesmResponse;
  readonly platform: RecordingPlatform;
  readonly events: ServerEvent[];
  readonly counters: ServerCounters;
}

/** Asks a fresh dispatcher over a platform that has its key unless told otherwise. */
function ask(request: AesmRequest | Uint8Array, options: RecordingPlatformOptions = {}): Asked {
  const platform = new RecordingPlatform({ initialized: true, ...options });
  const events: ServerEvent[] = [];
  const counters = new ServerCounters();
  const reporter = new EventReporter(
    (event) => events.push(event),
    { current: DEFAULT_LIMITS },
    () => 0,
  );
  const dispatcher = new Dispatcher({
    platform,
    limits: { current: DEFAULT_LIMITS },
    defaultAlgorithm: 2,
    events: reporter,
    counters,
  });
  const body = request instanceof Uint8Array ? request : encodeRequest(request).subarray(4);
  let length = dispatcher.dispatch(body, 0, body.length, OUT);
  const { call } = dispatcher;
  if (length === NEEDS_PLATFORM && call !== undefined) {
    try {
      call.run(platform, undefined);
      length = dispatcher.succeed(call, OUT);
    } catch (error) {
      length = dispatcher.fail(call, refusalOf(error), OUT);
    }
  }
  const frame = OUT.slice(0, length);
  return { frame, response: decodeResponse(frame.subarray(4)), platform, events, counters };
}

function hex(frame: Uint8Array): string {
  return Buffer.from(frame).toString("hex");
}

function errorCode(asked: Asked): number {
  return asked.response.errorCode;
}

const report = new Uint8Array(432);

describe("key id operations", () => {
  it("21 counts the offered keys; none is 30 with a count of 0", () => {
    assert.equal(hex(ask({ operation: "get_supported_att_key_id_num" }).frame), "07000000aa010408001001");
    assert.equal(
      hex(ask({ operation: "get_supported_att_key_id_num" }, { keyIds: [] }).frame),
      "07000000aa0104081e1000",
    );
  });

  it("22 lists them for a buffer of exactly that size, else 3; none is 3", () => {
    const listed = ask({ operation: "get_supported_att_key_ids", bufSize: 256 }).response;
    assert.ok(listed.operation === "get_supported_att_key_ids");
    assert.deepEqual(listed.attKeyIds, KEY);
    assert.equal(hex(ask({ operation: "get_supported_att_key_ids", bufSize: 255 }).frame), "05000000b201020803");
    assert.equal(errorCode(ask({ operation: "get_supported_att_key_ids", bufSize: 512 })), 3);
    assert.equal(errorCode(ask({ operation: "get_supported_att_key_ids", bufSize: 0 }, { keyIds: [] })), 3);
  });

  it("19 without a list prefers the default algorithm among all offered", () => {
    const { response } = ask({ operation: "select_att_key_id" }, { keyIds: [EPID, ECDSA_P256_KEY_ID] });
    assert.ok(response.operation === "select_att_key_id");
    assert.deepEqual(response.selectedAttKeyId, KEY);
  });

  it("19 returns the caller's own copy of a listed key, with its SPID", () => {
    const mine = KEY.slice();
    mine[160] = 7;
    const { response } = ask({
      operation: "select_att_key_id",
      attKeyIdList: encodeKeyIdList([new Uint8Array(256), mine]),
    });
    assert.ok(response.operation === "select_att_key_id");
    assert.deepEqual(response.selectedAttKeyId, mine);
  });

  it("19 answers 38 when nothing matches and 3 for a malformed list", () => {
    const attKeyIdList = encodeKeyIdList([new Uint8Array(256)]);
    assert.equal(errorCode(ask({ operation: "select_att_key_id", attKeyIdList })), 38);
    assert.equal(errorCode(ask({ operation: "select_att_key_id" }, { keyIds: [] })), 38);
    for (const list of [attKeyIdList.slice(1), attKeyIdList.slice(0, 8), Uint8Array.of(), attKeyIdList.with(0, 1)]) {
      assert.equal(errorCode(ask({ operation: "select_att_key_id", attKeyIdList: list })), 3);
    }
  });
});

describe("init_quote_ex", () => {
  it("the size query looks at no buf_size, touches no enclave and returns zeros as target info", () => {
    for (const bufSize of [undefined, 0n, 33n, 0xffffffffffffffffn]) {
      const asked = ask({ operation: "init_quote_ex", attKeyId: KEY, bPubKeyId: false, bufSize });
      assert.ok(asked.response.operation === "init_quote_ex");
      assert.deepEqual(asked.response.targetInfo, new Uint8Array(512));
      assert.equal(asked.response.pubKeyIdSize, 32n);
      assert.equal(asked.response.pubKeyId, undefined);
      assert.deepEqual(asked.platform.calls, []);
    }
  });

  it("with b_pub_key_id it needs buf_size 32 exactly; the refusal echoes what came", () => {
    const init = (bufSize?: bigint) => ask({ operation: "init_quote_ex", attKeyId: KEY, bPubKeyId: true, bufSize });
    assert.equal(hex(init(33n).frame), "060000007a0408031821");
    assert.equal(hex(init().frame), "060000007a0408031800");
    assert.equal(hex(init(0x1_0000_0020n).frame), "0a0000007a08080318a080808010");
    const { response } = init(32n);
    assert.ok(response.operation === "init_quote_ex");
    assert.deepEqual(response.pubKeyId, STUB_PUB_KEY_ID);
  });

  it("a missing key id is 3 and a foreign one 38; 256 bytes or more are accepted, 158 compared", () => {
    const size = (attKeyId?: Uint8Array) => errorCode(ask({ operation: "init_quote_ex", attKeyId, bPubKeyId: false }));
    assert.equal(hex(ask({ operation: "init_quote_ex", bPubKeyId: false }).frame), "060000007a0408031800");
    assert.equal(size(KEY.slice(0, 255)), 3);
    assert.equal(size(Uint8Array.from([...KEY, 1, 2, 3])), 0);
    assert.equal(size(KEY.with(158, 1).with(255, 9)), 0);
    for (const at of [0, 3, 6, 54, 154, 157]) assert.equal(size(KEY.with(at, 0x77)), 38, `byte ${at}`);
  });

  it("without a quoting enclave it is 38, and the cause says so", () => {
    const asked = ask({ operation: "init_quote_ex", attKeyId: KEY, bPubKeyId: true, bufSize: 32n }, { keyIds: [] });
    assert.equal(errorCode(asked), 38);
    assert.match(String((asked.events[0] as { cause?: string }).cause), /did not load/);
  });
});

describe("get_quote_size_ex and get_quote_ex", () => {
  it("are 42 before the key exists; the size is 0 then", () => {
    const asked = ask({ operation: "get_quote_size_ex", attKeyId: KEY }, { initialized: false });
    assert.equal(hex(asked.frame), "07000000820104082a1000");
    const quote = ask({ operation: "get_quote_ex", attKeyId: KEY, report, bufSize: 8192 }, { initialized: false });
    assert.equal(hex(quote.frame), "050000008a0102082a");
  });

  it("a larger buffer is filled with zeros to its end; the platform's bytes are never longer", () => {
    const { response } = ask({ operation: "get_quote_ex", attKeyId: KEY, report, bufSize: 65536 });
    assert.ok(response.operation === "get_quote_ex" && response.quote !== undefined);
    assert.equal(response.quote.length, 65536);
    assert.deepEqual(response.quote.subarray(4734), new Uint8Array(65536 - 4734));
    assert.equal(response.qeReportInfo, undefined);
  });

  it("wrong sizes are 3: report, qe_report_info, a buffer too small, a buffer over 64 KiB", () => {
    const quote = (fields: object) =>
      ask({ operation: "get_quote_ex", attKeyId: KEY, report, bufSize: 4734, ...fields } as AesmRequest);
    for (const fields of [
      { report: new Uint8Array(431) },
      { report: new Uint8Array(0) },
      { qeReportInfo: new Uint8Array(959) },
      { qeReportInfo: new Uint8Array(0) },
      { bufSize: 4733 },
      { bufSize: 0 },
      { bufSize: 65537 },
      { bufSize: 0x40000000 },
      { attKeyId: undefined },
    ]) {
      const asked = quote(fields);
      assert.equal(errorCode(asked), 3, JSON.stringify(Object.keys(fields)));
      assert.equal(asked.platform.reports.length, 0);
    }
    assert.equal(errorCode(quote({})), 0);
  });

  it("a refusal echoes qe_report_info whatever its length", () => {
    for (const length of [1, 960, 3000]) {
      const qeReportInfo = new Uint8Array(length).fill(0xab);
      const { response } = ask({ operation: "get_quote_ex", attKeyId: KEY, report, qeReportInfo, bufSize: 1 });
      assert.ok(response.operation === "get_quote_ex");
      assert.equal(response.errorCode, 3);
      assert.deepEqual(response.qeReportInfo, qeReportInfo);
      assert.equal(response.quote, undefined);
    }
  });

  it("the platform's own codes pass through, with cause and next step for the log", () => {
    for (const aesm of [Aesm.ATT_KEY_CERT_DATA_INVALID, Aesm.NO_PLATFORM_CERT_DATA, Aesm.INVALID_REPORT] as const) {
      const failure = new QuotingError("it went wrong", { aesm, quote3: Quote3.UNEXPECTED, nextStep: "do this" });
      const asked = ask({ operation: "get_quote_ex", attKeyId: KEY, report, bufSize: 8192 }, { failure });
      assert.equal(errorCode(asked), aesm);
      const event = asked.events[0];
      assert.ok(event?.kind === "refused");
      assert.deepEqual(
        [event.operation, event.code, event.cause, event.nextStep],
        ["get_quote_ex", aesm, "it went wrong", "do this"],
      );
    }
  });

  it("anything else that is thrown is 1, with the error in the log", () => {
    const failure = new RangeError("a defect");
    const asked = ask({ operation: "get_quote_ex", attKeyId: KEY, report, bufSize: 8192 }, { failure });
    assert.equal(hex(asked.frame), "050000008a01020801");
    assert.ok(asked.events[0]?.kind === "refused" && asked.events[0].error === failure);
  });

  it("the report handed to the platform does not change when the request buffer is reused", () => {
    const body = encodeRequest({
      operation: "get_quote_ex",
      attKeyId: KEY,
      report: report.with(5, 9),
      bufSize: 8192,
    }).slice(4);
    const { platform } = ask(body);
    body.fill(0xff);
    assert.deepEqual(platform.reports[0], report.with(5, 9));
  });
});

describe("operations that this service does not have", () => {
  it("are 30 with exactly the fields that Intel's service sends", () => {
    const expected: [AesmRequest, string][] = [
      [{ operation: "init_quote" }, "040000000a02081e"],
      [{ operation: "get_quote", report, quoteType: 0, spid: new Uint8Array(16), bufSize: 9 }, "040000001202081e"],
      [
        { operation: "get_launch_token", mrEnclave: report, mrSigner: report, seAttributes: report },
        "040000001a02081e",
      ],
      [
        { operation: "report_attestation_status", platformInfo: report, attestationErrorCode: 0, updateInfoSize: 12 },
        "040000002202081e",
      ],
      [{ operation: "get_whitelist_size" }, "060000005204081e1000"],
      [{ operation: "get_whitelist", whiteListSize: 5 }, "040000005a02081e"],
      [{ operation: "get_extended_epid_group_id" }, "060000006204081e1000"],
      [{ operation: "switch_extended_epid_group", xGroupId: 1 }, "040000006a02081e"],
      [{ operation: "register", buf: report, dataType: 0 }, "040000007202081e"],
      [{ operation: "check_update_status", updateInfoSize: 12, config: 0 }, "07000000920104081e1800"],
    ];
    for (const [request, reply] of expected) assert.equal(hex(ask(request).frame), reply, request.operation);
  });

  it("register with an unknown data_type is 3", () => {
    assert.equal(errorCode(ask({ operation: "register", buf: report, dataType: 1 })), 3);
  });
});

describe("a request that lacks a required field", () => {
  it("is answered 1 by its own sub-message, with nothing but the scalars that are always there", () => {
    const expected: [string, string][] = [
      ["7a022020", "060000007a0408011800"],
      ["8a0100", "050000008a01020801"],
      ["8a0104 1a02aabb", "050000008a01020801"],
      ["b20100", "05000000b201020801"],
      ["920100", "07000000920104 08011800"],
      ["7200", "0400000072020801"],
      ["1200", "0400000012020801"],
    ];
    for (const [body, reply] of expected) {
      const request = Uint8Array.from(Buffer.from(body.replace(" ", ""), "hex"));
      assert.equal(hex(ask(request).frame), reply.replace(" ", ""), body);
    }
  });
});

describe("what the operator sees", () => {
  it("every refusal is counted and reported by operation and code, once per interval with a count of the rest", () => {
    let now = 0;
    const events: ServerEvent[] = [];
    const reporter = new EventReporter(
      (event) => events.push(event),
      { current: { ...DEFAULT_LIMITS, reportInterval: 1000 } },
      () => now,
    );
    for (let i = 0; i < 5; i++) reporter.refused("get_quote_ex", 47, "wrong MAC", "make it for this QE");
    reporter.refused("get_quote_ex", 42, "no key", "init");
    now = 1000;
    reporter.refused("get_quote_ex", 47, "wrong MAC", "make it for this QE");
    const seen = events.map((event) => (event.kind === "refused" ? [event.code, event.name, event.suppressed] : []));
    assert.deepEqual(seen, [
      [47, "INVALID_REPORT", 0],
      [42, "ATT_KEY_NOT_INITIALIZED", 0],
      [47, "INVALID_REPORT", 4],
    ]);
    const { counters } = ask({ operation: "get_quote_size_ex" });
    assert.deepEqual(counters.snapshot().answers, [{ operation: "get_quote_size_ex", code: 3, count: 1 }]);
  });
});
