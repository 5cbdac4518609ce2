import assert from "node:assert/strict";
import { test } from "node:test";
import { CollateralError } from "../errors.ts";
import type { TcbInfoRequest } from "../request.ts";
import { DEFAULT_SERVICE_LIMITS } from "./limits.ts";
import { ServiceRefusal } from "./status.ts";
import { pckcert, registrationOf, serviceBench, statusOf } from "./testing/service-bench.ts";
import { DAY, DOUBLE_FMSPC } from "./testing/upstream-double.ts";

const TCB_INFO: TcbInfoRequest = { kind: "tcb-info", tee: "sgx", fmspc: DOUBLE_FMSPC, update: "standard", version: 4 };

async function statuses(count: number, work: (n: number) => unknown): Promise<Map<number, number>> {
  const tally = new Map<number, number>();
  await Promise.all(
    Array.from({ length: count }, async (_, n) => {
      const status = await statusOf(() => work(n));
      tally.set(status, (tally.get(status) ?? 0) + 1);
    }),
  );
  return tally;
}

test("10,000 requests for one cold TCB info are one upstream call", async () => {
  const { service, upstream } = serviceBench("LAZY");
  assert.deepEqual(await statuses(10_000, () => service.get(TCB_INFO)), new Map([[200, 10_000]]));
  assert.equal(upstream.calls.length, 1);
});

test("10,000 requests for one cold platform, at several TCBs, are one fetch of its certificates", async () => {
  const { service, upstream } = serviceBench("LAZY");
  const cpuSvn = (n: number) => `0${5 + (n % 3)}`.repeat(16);
  const tally = await statuses(10_000, (n) => service.get(pckcert(1, { cpuSvn: cpuSvn(n) })));
  assert.deepEqual(tally, new Map([[200, 10_000]]));
  assert.equal(upstream.callsOf("pckcerts/"), 1);
});

test("two replicas on one database fetch one cold key once between them", async () => {
  const one = serviceBench("LAZY");
  const other = serviceBench("LAZY", { beside: one });
  const tally = await statuses(2_000, (n) => (n % 2 === 0 ? one : other).service.get(pckcert(1)));
  assert.deepEqual(tally, new Map([[200, 2_000]]));
  assert.equal(one.upstream.callsOf("pckcerts/"), 1);
  assert.deepEqual([...new Set(one.upstream.calls)].length, one.upstream.calls.length);
});

test("10,000 cold keys cost the upstream its burst at most, and the rest are told when to come back", async () => {
  const { service, upstream, events } = serviceBench("LAZY");
  const seen = new Set<number | undefined>();
  const tally = await statuses(10_000, async (n) => {
    try {
      return await service.get({ ...TCB_INFO, fmspc: n.toString(16).padStart(12, "0").toUpperCase() });
    } catch (error) {
      if (error instanceof ServiceRefusal) seen.add(error.retryAfter);
      throw error;
    }
  });
  const { missBurst, concurrency } = DEFAULT_SERVICE_LIMITS;
  assert.equal(upstream.calls.length, missBurst);
  assert.ok(upstream.mostAtOnce <= concurrency);
  assert.deepEqual(
    tally,
    new Map(
      [
        [200, missBurst],
        [503, 10_000 - missBurst],
      ].sort(([a = 0], [b = 0]) => a - b) as [number, number][],
    ),
  );
  assert.ok([...seen].every((retryAfter) => retryAfter !== undefined && retryAfter >= 1));
  assert.ok(events.some(({ event }) => event === "budget-refused"));
});

test("10,000 random PPIDs that nobody knows cost the upstream its budget at most", async () => {
  const { service, upstream, clock } = serviceBench("LAZY");
  upstream.failure = new CollateralError("NOT_FOUND", "no such platform");
  for (let second = 0; second < 10; second++) {
    await statuses(1_000, (n) => service.get(pckcert(second * 1_000 + n)));
    clock.advance(1_000);
  }
  const { missBurst, missRate } = DEFAULT_SERVICE_LIMITS;
  assert.ok(upstream.calls.length <= missBurst + 10 * missRate, String(upstream.calls.length));
});

test("misses that use up their budget leave registration's alone", async () => {
  const { service, upstream } = serviceBench("LAZY");
  upstream.failures.set("tcb-info/sgx/000000000000/standard/v4", new CollateralError("NOT_FOUND", "none"));
  await statuses(1_000, (n) => service.get({ ...TCB_INFO, fmspc: n.toString(16).padStart(12, "0").toUpperCase() }));
  assert.equal(await statusOf(() => service.get(pckcert(1))), 503);
  assert.equal(await statusOf(() => service.register(registrationOf(1), "standard")), 200);
  assert.equal(await statusOf(() => service.get(pckcert(1))), 200);
});

test("what the upstream has not is not asked for again for a minute", async () => {
  const { service, upstream, clock, events } = serviceBench("LAZY");
  upstream.failure = new CollateralError("NOT_FOUND", "none");
  for (let n = 0; n < 5; n++) {
    assert.equal(await statusOf(() => service.get(TCB_INFO)), 404);
    assert.equal(await statusOf(() => service.get(pckcert(1))), 404);
  }
  assert.equal(upstream.calls.length, 2);
  assert.equal(events.filter(({ event }) => event === "negative-hit").length, 8);
  upstream.failure = undefined;
  clock.advance(DEFAULT_SERVICE_LIMITS.negativeMs);
  assert.equal(await statusOf(() => service.get(TCB_INFO)), 200);
  assert.equal(await statusOf(() => service.get(pckcert(1))), 200);
});

test("a platform that registers is known at once, whatever was remembered of it", async () => {
  const { service, upstream } = serviceBench("LAZY");
  upstream.failure = new CollateralError("NOT_FOUND", "none");
  assert.equal(await statusOf(() => service.get(pckcert(1))), 404);
  upstream.failure = undefined;
  await service.register(registrationOf(1), "standard");
  assert.equal(await statusOf(() => service.get(pckcert(1))), 200);
});

test("another's encrypted PPID that is refused does not speak for the platform's own", async () => {
  const { service, upstream } = serviceBench("LAZY");
  const theirs = pckcert(2).encryptedPpid as string;
  upstream.failures.set(`pckcerts/${theirs.slice(0, 16)}`, new CollateralError("NOT_FOUND", "none"));
  assert.equal(await statusOf(() => service.get(pckcert(1, { encryptedPpid: theirs }))), 404);
  assert.equal(await statusOf(() => service.get(pckcert(1))), 200);
});

test("a failure that may heal is not remembered", async () => {
  const { service, upstream } = serviceBench("LAZY");
  upstream.failure = new CollateralError("SOURCE_UNREACHABLE", "down");
  assert.equal(await statusOf(() => service.get(TCB_INFO)), 502);
  upstream.failure = undefined;
  assert.equal(await statusOf(() => service.get(TCB_INFO)), 200);
});

test("an upstream that does not answer costs 20 seconds and no more", async () => {
  const { service, upstream, clock } = serviceBench("LAZY");
  upstream.gate = new Promise(() => {});
  const answer = statusOf(() => service.get(TCB_INFO));
  await clock.advanceSlowly(DEFAULT_SERVICE_LIMITS.answerMs + 5_000, 1_000);
  assert.equal(await answer, 502);
  upstream.gate = undefined;
  assert.equal(await statusOf(() => service.get(TCB_INFO)), 200);
});

test("a lease that a dead replica left is taken over in time", async () => {
  const { service, store, clock } = serviceBench("LAZY");
  await store.leases.acquire("tcb-info/sgx/00A067110000/standard/v4", 10_000);
  const answer = statusOf(() => service.get(TCB_INFO));
  await clock.advanceSlowly(12_000, 500);
  assert.equal(await answer, 200);
});

test("what is not signed is neither stored nor served, and not asked for again at once", async () => {
  const { service, store, upstream, events } = serviceBench("LAZY");
  upstream.genuine = false;
  assert.equal(await statusOf(() => service.get(TCB_INFO)), 460);
  assert.equal(await statusOf(() => service.get(TCB_INFO)), 460);
  assert.equal(store.writes, 0);
  assert.equal(upstream.calls.length, 1);
  assert.ok(events.some((event) => event.event === "upstream" && event.outcome === "ANSWER_UNTRUSTED"));
  upstream.genuine = true;
  upstream.certificates = [{ tcbm: `${"05".repeat(16)}0D00`, certificate: "forged" }];
  assert.equal(await statusOf(() => service.get(pckcert(1))), 460);
  assert.equal(store.counts().platforms, 0);
});

test("past its nextUpdate a document is served stale, and the upstream asked every half minute only", async () => {
  const { service, upstream, clock } = serviceBench("LAZY");
  await service.get(TCB_INFO);
  clock.advance(31 * DAY);
  upstream.failure = new CollateralError("SOURCE_UNREACHABLE", "down");
  for (let n = 0; n < 10; n++) {
    const { stale, until } = await service.get(TCB_INFO);
    assert.equal(stale, true);
    assert.equal(until, clock.now() + DEFAULT_SERVICE_LIMITS.staleRetryMs);
  }
  assert.equal(upstream.calls.length, 2);
  clock.advance(DEFAULT_SERVICE_LIMITS.staleRetryMs);
  upstream.failure = undefined;
  assert.equal((await service.get(TCB_INFO)).stale, false);
});

test("an upstream that is behind itself replaces nothing newer", async () => {
  const { service, upstream, clock } = serviceBench("LAZY");
  const first = await service.get(TCB_INFO);
  clock.advance(31 * DAY);
  upstream.now = () => clock.now() - 60 * DAY;
  const again = await service.get(TCB_INFO);
  assert.equal(again.stale, true);
  assert.equal(again.answer.body, first.answer.body);
});

test("what the upstream gives is refused where it is past the stale limit already", async () => {
  const { service, upstream, clock } = serviceBench("LAZY");
  upstream.now = () => clock.now() - 38 * DAY;
  assert.equal(await statusOf(() => service.get(TCB_INFO)), 502);
});

test("a clock an hour ahead or behind changes no answer's status", async () => {
  for (const hours of [-1, 1]) {
    const { service, upstream, clock } = serviceBench("LAZY");
    upstream.lifeMs = 30 * 60_000;
    upstream.now = () => clock.now() + hours * 3_600_000;
    assert.equal(await statusOf(() => service.get(TCB_INFO)), 200);
  }
});

test("a store that cannot write is 503, and nothing is served that was not kept", async () => {
  const { service, store } = serviceBench("LAZY");
  store.failure = new CollateralError("STORE_FULL", "the disk is full");
  assert.equal(await statusOf(() => service.get(TCB_INFO)), 503);
  assert.equal(await statusOf(() => service.register(registrationOf(1), "standard")), 503);
  await assert.rejects(service.ping());
  store.failure = undefined;
  assert.equal(await statusOf(() => service.get(TCB_INFO)), 200);
  await service.ping();
});

test("close ends what waits for the upstream", async () => {
  const { service, upstream } = serviceBench("LAZY");
  upstream.gate = new Promise(() => {});
  const answer = statusOf(() => service.get(TCB_INFO));
  await new Promise(setImmediate);
  await service.close();
  assert.equal(await answer, 502);
  await assert.rejects(service.ping());
});
