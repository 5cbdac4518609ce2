import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ManualClock } from "../../testing/manual-clock.ts";
import { ServiceRefusal } from "../status.ts";
import { AccessLog, logText } from "./access-log.ts";
import type { RefusedRequest } from "./edge.ts";
import { serve, USER_TOKEN, V4 } from "./testing/served.ts";

test("lines leave together, in their order", () => {
  const clock = new ManualClock();
  const written: string[] = [];
  const log = new AccessLog((lines) => void written.push(lines), clock, 100);
  log.push("one");
  log.push("two");
  assert.deepEqual(written, []);
  clock.advance(50);
  log.push("three");
  log.flush();
  assert.deepEqual(written, ["one\ntwo\n", "three\n"]);
  assert.equal(clock.waiting, 0);
});

test("while the sink is busy lines wait, and what does not fit is counted", async () => {
  const clock = new ManualClock();
  const written: string[] = [];
  let ready = () => {};
  const log = new AccessLog(
    (lines) => {
      written.push(lines);
      return new Promise<void>((resolve) => {
        ready = resolve;
      });
    },
    clock,
    3,
  );
  log.push("0");
  log.flush();
  for (const line of ["1", "2", "3", "4", "5"]) log.push(line);
  clock.advance(1000);
  assert.deepEqual([written, log.dropped], [["0\n"], 2]);
  ready();
  await new Promise(setImmediate);
  assert.deepEqual(written, ["0\n", "1\n2\n3\n"]);
});

test("a sink that fails stops nothing", () => {
  const clock = new ManualClock();
  const log = new AccessLog(
    () => {
      throw new Error("full");
    },
    clock,
    3,
  );
  log.push("x");
  clock.advance(50);
  log.push("y");
  assert.doesNotThrow(() => log.flush());
});

test("whatever a text is, it is one JSON text on one line, bounded, of printable ASCII", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 600 }), (text) => {
      const shown = logText(text);
      assert.match(shown, /^[\x20-\x7e]*$/);
      assert.ok(shown.length <= 6 * 256 + 2);
      assert.equal(typeof JSON.parse(shown), "string");
    }),
  );
});

test("an encrypted PPID in a text is not shown", () => {
  assert.equal(
    logText(`at https://x/?encrypted_ppid=${"0A".repeat(384)}&y`),
    '"at https://x/?encrypted_ppid=<hexadecimal>&y"',
  );
});

test("the cause of each refusal is told once, and what was answered with it is not", async (t) => {
  const refused: RefusedRequest[] = [];
  const { ask, service } = await serve(t, { refused: (request) => refused.push(request) });
  await ask("GET", `${V4}/rootcacrl`);
  service.onCall = () => {
    throw new ServiceRefusal(461, "PCCS at https://pccs.example answered 461");
  };
  const body = { qe_id: "aa", pce_id: "0000", platform_manifest: "a manifest" };
  const headers = { "user-token": USER_TOKEN, "content-type": "application/json", "request-id": "mine" };
  assert.equal((await ask("POST", `${V4}/platforms?update=all`, headers, JSON.stringify(body))).status, 461);
  assert.deepEqual(refused, [
    {
      status: 461,
      method: "POST",
      path: `${V4}/platforms`,
      key: "registration/AA/0000",
      reason: "PCCS at https://pccs.example answered 461",
      id: "mine",
    },
  ]);
});
