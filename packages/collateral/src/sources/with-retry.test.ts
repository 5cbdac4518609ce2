import assert from "node:assert/strict";
import { test } from "node:test";
import { CollateralError, type CollateralErrorCode } from "../errors.ts";
import type { CollateralSource, CollateralUpstream, Fetched } from "../source.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { isUpstream } from "./around.ts";
import { type BreakerState, withBreaker } from "./with-breaker.ts";
import { withRetry } from "./with-retry.ts";

const REQUEST = { kind: "root-ca-crl" } as const;
const ANSWER: Fetched<typeof REQUEST> = { answer: { kind: "root-ca-crl", crl: Uint8Array.of(0x30, 0) } };
const open = { signal: new AbortController().signal };

function failure(code: CollateralErrorCode, more: { status?: number; retryAfterMs?: number } = {}): CollateralError {
  return new CollateralError(code, `failed with ${code}`, more);
}

/** A source that fails with these, one after the other, and then answers. */
function scripted(failures: unknown[]): CollateralSource & { calls: number } {
  return {
    kind: "pccs",
    name: "PCCS at test",
    calls: 0,
    async fetch() {
      this.calls++;
      if (failures.length > 0) throw failures.shift();
      return ANSWER as never;
    },
  };
}

/** Runs the clock until the work is done; how far it went. */
async function run<T>(
  clock: ManualClock,
  work: Promise<T>,
): Promise<{ value: T | undefined; error: unknown; ms: number }> {
  const start = clock.now();
  const result: { value: T | undefined; error: unknown; done: boolean } = {
    value: undefined,
    error: undefined,
    done: false,
  };
  const settled = work.then(
    (value) => Object.assign(result, { value, done: true }),
    (error: unknown) => Object.assign(result, { error, done: true }),
  );
  for (let i = 0; i < 500 && !result.done; i++) await clock.advanceSlowly(100, 100);
  await settled;
  return { value: result.value, error: result.error, ms: clock.now() - start };
}

function retried(failures: unknown[], options: { retries?: number; random?: number } = {}) {
  const clock = new ManualClock();
  const inner = scripted(failures);
  const source = withRetry(inner, { clock, random: () => options.random ?? 0.5, retries: options.retries ?? 3 });
  return { clock, inner, fetch: (signal = open.signal) => run(clock, source.fetch(REQUEST, { signal })) };
}

test("what is away, slow or busy is asked again until it answers, with a delay that doubles", async () => {
  const codes = ["SOURCE_UNREACHABLE", "SOURCE_TIMEOUT", "SOURCE_BUSY"] as const;
  const { inner, fetch } = retried(codes.map((code) => failure(code)));
  const { value, ms } = await fetch();
  assert.equal(value, ANSWER);
  assert.equal(inner.calls, 4);
  // Half of 200, 400 and 800 ms, and half of the other half by chance, in steps of 100.
  assert.ok(ms >= 150 + 300 + 600 && ms <= 150 + 300 + 600 + 400, `${ms}`);
});

test("after the last attempt the failure comes out as it was", async () => {
  const failures = Array.from({ length: 9 }, () => failure("SOURCE_TIMEOUT"));
  const last = failures[2];
  const { inner, fetch } = retried(failures, { retries: 2 });
  assert.equal((await fetch()).error, last);
  assert.equal(inner.calls, 3);
});

test("what the same request would only get again is not asked again", async () => {
  const final: readonly CollateralError[] = [
    failure("NOT_FOUND", { status: 404 }),
    failure("PLATFORM_UNKNOWN", { status: 461 }),
    failure("CERTIFICATES_UNAVAILABLE", { status: 462 }),
    failure("SOURCE_REFUSED", { status: 401 }),
    failure("SOURCE_UNTRUSTED"),
    failure("SOURCE_ANSWER", { status: 200 }),
    failure("SOURCE_SUSPENDED"),
    failure("PARAMETER"),
  ];
  for (const error of final) {
    const { inner, fetch } = retried([error]);
    assert.equal((await fetch()).error, error);
    assert.equal(inner.calls, 1, error.code);
  }
  const bug = new TypeError("not ours");
  assert.equal((await retried([bug]).fetch()).error, bug);
});

test("an internal error is asked again once", async () => {
  const errors = Array.from({ length: 3 }, () => failure("SOURCE_ANSWER", { status: 500 }));
  const { inner, fetch } = retried(errors.slice());
  assert.equal((await fetch()).error, errors[1]);
  assert.equal(inner.calls, 2);
});

test("nobody comes back before Retry-After, and not at all if that is too long", async () => {
  const soon = retried([failure("SOURCE_BUSY", { retryAfterMs: 3_000 })]);
  const { value, ms } = await soon.fetch();
  assert.equal(value, ANSWER);
  assert.ok(ms >= 3_000, `${ms}`);
  const late = failure("SOURCE_BUSY", { retryAfterMs: 60_000 });
  const never = retried([late]);
  assert.equal((await never.fetch()).error, late);
  assert.equal(never.inner.calls, 1);
});

test("the signal ends the wait, and the failure that was waited for comes out", async () => {
  const error = failure("SOURCE_UNREACHABLE");
  const { clock, inner, fetch } = retried([error]);
  const controller = new AbortController();
  clock.setTimeout(() => controller.abort(), 10);
  assert.equal((await fetch(controller.signal)).error, error);
  assert.equal(inner.calls, 1);
  assert.equal(clock.waiting, 0);
});

test("an upstream stays one, a source does not become one", async () => {
  const clock = new ManualClock();
  const upstream: CollateralUpstream = {
    ...scripted([]),
    pckCertificates: async () => ({ ca: "platform", fmspc: "00906ED50000", issuerChain: "", certificates: [] }),
  };
  const around = withRetry(withBreaker(upstream, { clock, random: () => 0 }), { clock, random: () => 0 });
  assert.equal((await around.pckCertificates({ platformManifest: "m" }, "0000", open)).fmspc, "00906ED50000");
  assert.equal(isUpstream(withRetry(scripted([]), { clock, random: () => 0 })), false);
});

function broken(failures: unknown[], more: { failures?: number; longestMs?: number } = {}) {
  const clock = new ManualClock();
  const inner = scripted(failures);
  const states: BreakerState[] = [];
  const onState = (state: BreakerState) => states.push(state);
  const source = withBreaker(inner, { clock, random: () => 0, failures: 3, openMs: 1_000, onState, ...more });
  const fetch = (signal = open.signal) =>
    source.fetch(REQUEST, { signal }).then(
      () => "answered",
      (error: unknown) => error as CollateralError,
    );
  return { clock, inner, states, fetch };
}

const away = (count: number) => Array.from({ length: count }, () => failure("SOURCE_UNREACHABLE"));

test("after failures in a row the source is left alone; the refusal names the last cause and the time left", async () => {
  const { clock, inner, states, fetch } = broken(away(3));
  for (let i = 0; i < 3; i++) await fetch();
  clock.advance(400);
  const refused = await fetch();
  assert.ok(refused instanceof CollateralError);
  assert.equal(refused.code, "SOURCE_SUSPENDED");
  assert.equal(refused.retryAfterMs, 600);
  assert.equal((refused.cause as CollateralError).code, "SOURCE_UNREACHABLE");
  assert.match(refused.message, /PCCS at test failed 3 times in a row .* failed with SOURCE_UNREACHABLE/);
  assert.equal(inner.calls, 3);
  assert.deepEqual(states, ["open"]);
});

test("after its time one request is let through: success closes, and everything passes again", async () => {
  const { clock, inner, states, fetch } = broken(away(3));
  for (let i = 0; i < 3; i++) await fetch();
  clock.advance(1_000);
  const [trial, beside] = await Promise.all([fetch(), fetch()]);
  assert.equal(trial, "answered");
  assert.equal((beside as CollateralError).code, "SOURCE_SUSPENDED");
  assert.equal(await fetch(), "answered");
  assert.equal(inner.calls, 5);
  assert.deepEqual(states, ["open", "half-open", "closed"]);
});

test("a failed trial opens for twice as long, up to the longest time", async () => {
  const { clock, inner, fetch } = broken(away(20), { longestMs: 3_000 });
  for (let i = 0; i < 3; i++) await fetch();
  let calls = 3;
  for (const ms of [1_000, 2_000, 3_000, 3_000]) {
    clock.advance(ms - 1);
    assert.equal(((await fetch()) as CollateralError).code, "SOURCE_SUSPENDED", `${ms}`);
    clock.advance(1);
    assert.equal(((await fetch()) as CollateralError).code, "SOURCE_UNREACHABLE", `${ms}`);
    assert.equal(inner.calls, ++calls);
  }
});

test("answers like 404, 461 and 462 show that the source is there", async () => {
  const { inner, states, fetch } = broken([
    ...away(2),
    failure("NOT_FOUND", { status: 404 }),
    ...away(2),
    failure("PLATFORM_UNKNOWN", { status: 461 }),
    ...away(2),
    failure("CERTIFICATES_UNAVAILABLE", { status: 462 }),
  ]);
  for (let i = 0; i < 9; i++) await fetch();
  assert.equal(await fetch(), "answered");
  assert.equal(inner.calls, 10);
  assert.deepEqual(states, []);
});

test("a source that asks for time is left alone for that time", async () => {
  const busy = () => failure("SOURCE_BUSY", { retryAfterMs: 30_000 });
  const { clock, fetch } = broken([busy(), busy(), busy()]);
  for (let i = 0; i < 3; i++) await fetch();
  clock.advance(29_999);
  assert.equal(((await fetch()) as CollateralError).code, "SOURCE_SUSPENDED");
  clock.advance(1);
  assert.equal(await fetch(), "answered");
});

test("a caller who gives up says nothing about the source; one whose time is over does", async () => {
  const timeouts = () => Array.from({ length: 4 }, () => failure("SOURCE_TIMEOUT"));
  const givenUp = broken(timeouts());
  for (let i = 0; i < 4; i++) await givenUp.fetch(AbortSignal.abort());
  assert.deepEqual(givenUp.states, []);
  const over = broken(timeouts());
  const signal = AbortSignal.abort(new DOMException("time", "TimeoutError"));
  for (let i = 0; i < 4; i++) await over.fetch(signal);
  assert.deepEqual(over.states, ["open"]);
});

test("retries stop at an open breaker, with what the source failed with; who comes later is told that it is left alone", async () => {
  const clock = new ManualClock();
  const inner = scripted(away(20));
  const breaker = withBreaker(inner, { clock, random: () => 0, failures: 2, openMs: 60_000 });
  const source = withRetry(breaker, { clock, random: () => 0, retries: 9 });
  const { error } = await run(clock, source.fetch(REQUEST, open));
  assert.equal((error as CollateralError).code, "SOURCE_UNREACHABLE");
  const { error: later } = await run(clock, source.fetch(REQUEST, open));
  assert.equal((later as CollateralError).code, "SOURCE_SUSPENDED");
  assert.equal(inner.calls, 2);
});
