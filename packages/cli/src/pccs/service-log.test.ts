import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "@confcom/collateral/testing";
import { pino } from "pino";
import { ServiceLog } from "./service-log.ts";

function logged() {
  const lines: Record<string, unknown>[] = [];
  const clock = new ManualClock();
  const log = pino({ base: null }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  return { lines, clock, log: new ServiceLog(log, clock) };
}

const unknown = {
  status: 461,
  method: "GET",
  path: "/sgx/certification/v4/pckcert",
  key: "pck-certificate/AA/0000",
  reason: "PCCS at https://pccs.example answered 461: platform unknown",
  id: "1",
};

test("the cause of a refusal is said once a minute, with how often it was not said", () => {
  const { lines, clock, log } = logged();
  for (let n = 0; n < 10_000; n++) log.refused({ ...unknown, id: `${n}` });
  clock.advance(60_000);
  log.refused(unknown);
  assert.deepEqual(
    lines.map(({ msg, id, key, suppressed }) => ({ msg, id, key, suppressed })),
    [
      {
        msg: "GET /sgx/certification/v4/pckcert answered 461: PCCS at https://pccs.example answered 461: platform unknown",
        id: "0",
        key: "pck-certificate/AA/0000",
        suppressed: undefined,
      },
      {
        msg: "GET /sgx/certification/v4/pckcert answered 461: PCCS at https://pccs.example answered 461: platform unknown",
        id: "1",
        key: "pck-certificate/AA/0000",
        suppressed: 9_999,
      },
    ],
  );
});

test("one cause is one, whatever the upstream's Request-ID", () => {
  const { lines, log } = logged();
  for (let n = 0; n < 10; n++) log.refused({ ...unknown, reason: `PCS answered 404: unknown (Request-ID ${n}abc)` });
  assert.equal(lines.length, 1);
  assert.match(String(lines[0]?.msg), /Request-ID 0abc/);
});

test("ten thousand different causes do not fill the log, and are counted", () => {
  const { lines, clock, log } = logged();
  for (let n = 0; n < 10_000; n++) log.refused({ ...unknown, reason: `cause ${n}` });
  assert.equal(lines.length, 100);
  clock.advance(60_000);
  log.refused({ ...unknown, reason: "another" });
  assert.equal(lines.at(-1)?.suppressed, 9_900);
});

test("wrong tokens are left to the access log", () => {
  const { lines, log } = logged();
  log.refused({ ...unknown, status: 401, reason: "the admin token is wrong" });
  assert.deepEqual(lines, []);
});
