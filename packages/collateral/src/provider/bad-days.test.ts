import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { checkAnswer } from "../check/check-answer.ts";
import { CollateralError, type CollateralErrorCode } from "../errors.ts";
import { httpClient } from "../http/index.ts";
import type { CollateralRequest } from "../request.ts";
import { pcsSource } from "../sources/pcs-source.ts";
import { withBreaker } from "../sources/with-breaker.ts";
import { withRetry } from "../sources/with-retry.ts";
import type { Fault } from "../testing/fake-faults.ts";
import { type FakeService, fakeService } from "../testing/fake-service.ts";
import { ManualClock, TEST_START } from "../testing/manual-clock.ts";
import { softwarePki, TEST_FMSPC } from "../testing/software-pki.ts";
import { CollateralProvider, type Provided } from "./collateral-provider.ts";
import type { ProviderEvent } from "./events.ts";
import { CacheDouble } from "./testing/cache-double.ts";

// The provider as the command line puts it together, over real sockets, with sources that fail. Its clock is the test's: it moves on
// when nothing happens any more, so that 20 seconds take some milliseconds.

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const LIMIT_MS = 20_000;
const ROOT_CRL = { kind: "root-ca-crl" } as const;
const TCB_INFO = { kind: "tcb-info", tee: "sgx", fmspc: TEST_FMSPC, update: "standard", version: 4 } as const;

/** A clock that knows what comes due next. */
class DrivenClock extends ManualClock {
  readonly #due = new Map<unknown, number>();
  moves = 0;

  override setTimeout(callback: () => void, ms: number) {
    this.moves++;
    const timer = super.setTimeout(() => {
      this.#due.delete(timer);
      callback();
    }, ms);
    this.#due.set(timer, this.now() + Math.max(0, ms));
    return timer;
  }

  override clearTimeout(timer: unknown): void {
    if (this.#due.delete(timer)) this.moves++;
    super.clearTimeout(timer);
  }

  /** Moves to what comes due next, if that is no further away. */
  jump(furthest: number): void {
    const next = Math.min(...this.#due.values()) - this.now();
    if (next <= furthest) this.advance(Math.max(0, next));
  }
}

const pki = softwarePki({ clock: new DrivenClock() });
const clock = pki.clock as DrivenClock;
let bad: FakeService;
let good: FakeService;
const open: { close(): void }[] = [];

before(async () => {
  bad = await fakeService({ pki });
  good = await fakeService({ pki });
});
afterEach(() => {
  bad.heal();
  for (const one of open.splice(0)) one.close();
  clock.set(TEST_START);
});
after(() => Promise.all([bad.close(), good.close()]));

function setUp({ also = [] as readonly FakeService[], cache = new CacheDouble() } = {}) {
  const http = httpClient({ clock });
  const random = () => 0.5;
  const sources = [bad, ...also].map((service) =>
    withRetry(
      withBreaker(pcsSource({ http, baseUrl: service.base, rootCaCrlUrl: service.rootCaCrlUrl }), { clock, random }),
      {
        clock,
        random,
      },
    ),
  );
  const events: ProviderEvent[] = [];
  const report = (event: ProviderEvent) => events.push(event);
  const trustedRoots = [pki.trustedRoot];
  const provider = new CollateralProvider({
    sources,
    trustedRoots,
    cache,
    clock,
    random,
    report,
    collateralCacheMs: HOUR,
  });
  open.push(http, provider);
  return { provider, cache, events };
}

interface Outcome {
  readonly provided?: Provided;
  readonly error?: CollateralError;
  /** By the clock given. */
  readonly ms: number;
}

/** `silent`: the source keeps the connection and says nothing, so time limits of the connection come due too. */
async function outcomeOf(work: Promise<Provided>, silent = false): Promise<Outcome> {
  const began = clock.now();
  let outcome: Outcome | undefined;
  void work.then(
    (provided) => {
      outcome = { provided, ms: clock.now() - began };
    },
    (error: unknown) => {
      assert.ok(error instanceof CollateralError, String(error));
      outcome = { error, ms: clock.now() - began };
    },
  );
  for (let quiet = 0; outcome === undefined; ) {
    const seen = [clock.moves, bad.requests.length, good.requests.length].join();
    await new Promise((resolve) => setTimeout(resolve, 8));
    quiet = seen === [clock.moves, bad.requests.length, good.requests.length].join() ? quiet + 1 : 0;
    if (quiet >= 3) clock.jump(silent ? LIMIT_MS : 4_000);
  }
  return outcome;
}

/** The invariant of every bad day: an answer within the limit, and nothing kept that its signature does not cover. */
function holds({ ms, provided }: Outcome, cache: CacheDouble, request: CollateralRequest): void {
  assert.ok(ms <= LIMIT_MS, `${ms} ms`);
  const terms = { trustedRoots: [pki.trustedRoot] };
  if (provided !== undefined) checkAnswer(request, provided.answer, terms);
  for (const { answer } of cache.entries.values()) {
    checkAnswer(request, answer as never, terms);
  }
}

interface BadDay {
  readonly name: string;
  readonly fault: Fault | "down";
  readonly code: CollateralErrorCode;
  readonly says: RegExp;
  readonly silent?: true;
  /** Requests that one question costs at most. */
  readonly attempts: number;
  readonly request?: typeof TCB_INFO | typeof ROOT_CRL;
}

const status = (code: number, headers: Readonly<Record<string, string>> = {}): Fault => ({
  kind: "status",
  status: code,
  headers,
});

const DAYS: readonly BadDay[] = [
  { name: "down", fault: "down", code: "SOURCE_UNREACHABLE", says: /ECONNREFUSED|refused/, attempts: 0 },
  { name: "silent", fault: { kind: "hang" }, code: "DEADLINE", says: /share of the time/, silent: true, attempts: 3 },
  {
    name: "closes the connection",
    fault: { kind: "reset" },
    code: "SOURCE_UNREACHABLE",
    says: /clos|hang up|reset/i,
    attempts: 5,
  },
  {
    name: "cut in mid-body",
    fault: { kind: "cut" },
    code: "SOURCE_UNREACHABLE",
    says: /reading the answer/,
    attempts: 5,
  },
  {
    name: "drips",
    fault: { kind: "drip", everyMs: 5 },
    code: "DEADLINE",
    says: /share of the time/,
    silent: true,
    attempts: 3,
  },
  {
    name: "body without end",
    fault: { kind: "endless" },
    code: "SOURCE_ANSWER",
    says: /larger than 4194304 bytes/,
    attempts: 1,
  },
  {
    name: "headers without end",
    fault: { kind: "endless-headers" },
    code: "SOURCE_ANSWER",
    says: /header/i,
    attempts: 1,
  },
  { name: "429, later", fault: status(429, { "Retry-After": "60" }), code: "SOURCE_BUSY", says: /429/, attempts: 1 },
  { name: "429, soon", fault: status(429, { "Retry-After": "2" }), code: "SOURCE_BUSY", says: /429/, attempts: 4 },
  { name: "503", fault: status(503), code: "SOURCE_BUSY", says: /503/, attempts: 4 },
  { name: "500", fault: status(500), code: "SOURCE_ANSWER", says: /500/, attempts: 2 },
  { name: "502", fault: status(502), code: "SOURCE_ANSWER", says: /502/, attempts: 2 },
  { name: "401", fault: status(401), code: "SOURCE_REFUSED", says: /401/, attempts: 1 },
  { name: "404", fault: status(404), code: "NOT_FOUND", says: /404/, attempts: 1 },
  {
    name: "a web page",
    fault: { kind: "content-type", value: "text/html" },
    code: "SOURCE_ANSWER",
    says: /web page/,
    attempts: 1,
  },
  { name: "no document", fault: { kind: "garbage" }, code: "SOURCE_ANSWER", says: /PCS at/, attempts: 1 },
  { name: "nothing with 200", fault: { kind: "empty" }, code: "SOURCE_ANSWER", says: /PCS at/, attempts: 1 },
  {
    name: "wrong signature",
    fault: { kind: "wrong-signature" },
    code: "ANSWER_UNTRUSTED",
    says: /signature|signed/,
    attempts: 1,
  },
  {
    name: "wrong signature of a CRL",
    fault: { kind: "wrong-signature" },
    code: "ANSWER_UNTRUSTED",
    says: /signed/,
    attempts: 1,
    request: ROOT_CRL,
  },
];

/** From now on the first source has this bad day. */
async function begin({ fault }: BadDay): Promise<void> {
  if (fault === "down") await bad.refuse();
  else bad.fail(fault);
}

async function end({ fault }: BadDay): Promise<void> {
  bad.heal();
  if (fault === "down") await bad.accept();
}

describe("a source that is", () => {
  for (const day of DAYS) {
    const { request = TCB_INFO, silent = false } = day;

    it(`${day.name}: refused with its cause, the next source serves, what is held stays in use`, async () => {
      const alone = setUp();
      const both = setUp({ also: [good] });
      const held = setUp();
      const first = await outcomeOf(held.provider.get(request));
      assert.equal(first.provided?.fromCache, false);
      const kept = [...held.cache.entries.values()];
      await begin(day);
      try {
        const asked = bad.requests.length;
        const refused = await outcomeOf(alone.provider.get(request), silent);
        holds(refused, alone.cache, request);
        assert.equal(refused.error?.code, day.code, String(refused.error));
        assert.match(refused.error?.message ?? "", day.says);
        assert.equal(alone.cache.entries.size, 0);
        assert.ok(bad.requests.length - asked <= day.attempts, `${bad.requests.length - asked} requests`);

        const served = await outcomeOf(both.provider.get(request), silent);
        holds(served, both.cache, request);
        assert.ok(served.provided?.source.includes(good.origin), String(served.error));
        assert.equal(both.cache.entries.size, 1);
        assert.equal(both.events.find(({ kind }) => kind === "failed")?.kind, "failed");

        clock.set(TEST_START + 2 * HOUR);
        const still = await outcomeOf(held.provider.get(request), silent);
        holds(still, held.cache, request);
        assert.deepEqual([still.provided?.answer, still.provided?.stale], [first.provided?.answer, false]);

        clock.set((first.provided as Provided).facts.nextUpdate + 6 * DAY);
        const stale = await outcomeOf(held.provider.get(request), silent);
        assert.deepEqual([stale.provided?.answer, stale.provided?.stale], [first.provided?.answer, true]);
        assert.ok(held.events.some(({ kind }) => kind === "stale"));

        clock.set((first.provided as Provided).facts.nextUpdate + 8 * DAY);
        const over = await outcomeOf(held.provider.get(request), silent);
        holds(over, held.cache, request);
        assert.equal(over.error?.code, "ANSWER_EXPIRED");
        assert.deepEqual([...held.cache.entries.values()], kept);
      } finally {
        await end(day);
      }
    });
  }

  it("expired: given stale up to the limit and said, never kept in place of something newer", async () => {
    const { provider, cache, events } = setUp();
    const newer = await outcomeOf(provider.get(TCB_INFO));
    bad.fail({ kind: "expired" });
    clock.set(TEST_START + 2 * HOUR);
    const still = await outcomeOf(provider.get(TCB_INFO));
    assert.equal(still.provided?.answer, newer.provided?.answer);
    assert.ok(events.some((event) => event.kind === "failed" && event.code === "ANSWER_EXPIRED"));
    assert.deepEqual(
      [...cache.entries.values()].map(({ answer }) => answer),
      [newer.provided?.answer],
    );

    const alone = setUp();
    const old = await outcomeOf(alone.provider.get(TCB_INFO));
    holds(old, alone.cache, TCB_INFO);
    assert.equal(old.error?.code, "ANSWER_EXPIRED", "older than the stale limit");
    assert.equal(alone.cache.entries.size, 0);
  });

  it("slow, but in time: served", async () => {
    bad.fail({ kind: "delay", ms: 40 });
    const { provider, cache } = setUp();
    const slow = await outcomeOf(provider.get(TCB_INFO));
    holds(slow, cache, TCB_INFO);
    assert.equal(slow.provided?.fromCache, false);
  });

  it("away for one request: the second attempt serves, after the time that it asked for", async () => {
    for (const [fault, least] of [
      [{ kind: "reset" }, 0],
      [{ kind: "cut" }, 0],
      [status(500), 0],
      [status(503), 0],
      [status(429, { "Retry-After": "2" }), 2_000],
    ] as const) {
      const { provider, cache } = setUp();
      bad.fail(fault, { times: 1 });
      const healed = await outcomeOf(provider.get(TCB_INFO));
      holds(healed, cache, TCB_INFO);
      assert.equal(healed.provided?.fromCache, false, `${JSON.stringify(fault)}: ${healed.error?.message}`);
      assert.ok(healed.ms >= least && healed.ms <= LIMIT_MS);
    }
  });

  it("down for long: left alone after five failures in a row, tried again later, and back in use", async () => {
    const { provider } = setUp();
    bad.fail(status(503));
    const asked = bad.requests.length;
    const requests = Array.from({ length: 12 }, (_, i) => ({ ...TCB_INFO, fmspc: `C0FC0A0000${i + 10}` }));
    const outcomes: Outcome[] = [];
    for (const request of requests) outcomes.push(await outcomeOf(provider.get(request)));
    assert.equal(outcomes.at(-1)?.error?.code, "SOURCE_SUSPENDED");
    assert.match(outcomes.at(-1)?.error?.message ?? "", /503/, "with the cause");
    assert.equal(bad.requests.length - asked, 5);
    bad.heal();
    clock.set(clock.now() + 10_000);
    const back = await outcomeOf(provider.get(TCB_INFO));
    assert.equal(back.provided?.fromCache, false);
  });
});

describe("a clock that is wrong by an hour", () => {
  it("behind: what was issued in its future is served, and is in use when the clock is put right", async () => {
    const { provider, cache } = setUp();
    clock.set(TEST_START);
    // Issued by the right time, asked for by the wrong one.
    const answer = pki.tcbInfo({ ...TCB_INFO, issued: TEST_START + HOUR });
    bad.fail({ kind: "answer", change: () => answer });
    const behind = await outcomeOf(provider.get(TCB_INFO));
    holds(behind, cache, TCB_INFO);
    assert.equal(behind.provided?.stale, false);
    clock.set(TEST_START + HOUR);
    assert.deepEqual((await outcomeOf(provider.get(TCB_INFO))).provided?.answer, answer);
  });

  it("ahead: what it takes for expired is stale and said; put right, it is asked for again and is not", async () => {
    const cache = new CacheDouble();
    const { provider, events } = setUp({ cache });
    const answer = pki.tcbInfo({ ...TCB_INFO, issued: TEST_START - 30 * DAY, nextUpdate: TEST_START + HOUR / 2 });
    bad.fail({ kind: "answer", change: () => answer });
    clock.set(TEST_START + HOUR);
    const ahead = await outcomeOf(provider.get(TCB_INFO));
    holds(ahead, cache, TCB_INFO);
    assert.deepEqual([ahead.provided?.stale, ahead.provided?.fromCache], [true, true]);
    assert.ok(events.some((event) => event.kind === "failed" && event.code === "ANSWER_EXPIRED"));
    clock.set(TEST_START);
    const right = await outcomeOf(provider.get(TCB_INFO));
    assert.equal(right.provided?.stale, false);
  });

  it("ahead, and what it stored is read after it was put right: asked for again", async () => {
    const cache = new CacheDouble();
    clock.set(TEST_START + HOUR);
    await outcomeOf(setUp({ cache }).provider.get(TCB_INFO));
    clock.set(TEST_START);
    const asked = bad.requests.length;
    const right = await outcomeOf(setUp({ cache }).provider.get(TCB_INFO));
    holds(right, cache, TCB_INFO);
    assert.equal(bad.requests.length, asked + 1);
  });
});
