import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { fromHex } from "@confcom/sgx";
import { INTEL_SGX_ROOT_KEY, verifyQuote } from "@confcom/verify";
import { nodeCrypto } from "@confcom/verify/node";
import type { AnswerTo, CollateralAnswer } from "../answer.ts";
import type { AnswerCache } from "../cache/cached-answer.ts";
import { CollateralError } from "../errors.ts";
import { type CollateralRequest, requestKey } from "../request.ts";
import type { CollateralSource, FetchOptions } from "../source.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { collateralForQuote } from "./collateral-for-quote.ts";
import { CollateralProvider, type CollateralProviderOptions } from "./collateral-provider.ts";
import type { ProviderEvent } from "./events.ts";
import { CacheDouble } from "./testing/cache-double.ts";

// Intel's own documents of one platform, served by a double of a source; the clock stands where they are valid.
const REAL = new URL("../../../verify/src/fixtures/real/", import.meta.url);
const fields = (name: string) =>
  JSON.parse(readFileSync(new URL(`collateral/${name}.json`, REAL), "utf8")) as Record<string, string>;

function answersOf(name: string): Readonly<Record<string, CollateralAnswer>> {
  const given = fields(name);
  const text = (field: string) => given[field] as string;
  const document = (kind: "tcb-info" | "identity", json: string, field: string, chain: string): CollateralAnswer => ({
    kind,
    body: `{"${json}":${text(field)},"signature":"${text(`${field}_signature`)}"}`,
    issuerChain: text(chain),
  });
  return {
    "tcb-info": document("tcb-info", "tcbInfo", "tcb_info", "tcb_info_issuer_chain"),
    identity: document("identity", "enclaveIdentity", "qe_identity", "qe_identity_issuer_chain"),
    "pck-crl": { kind: "pck-crl", crl: fromHex(text("pck_crl")), issuerChain: text("pck_crl_issuer_chain") },
    "root-ca-crl": { kind: "root-ca-crl", crl: fromHex(text("root_ca_crl")) },
  };
}

const SET = "near_tdx_20a06f";
const QUOTE = readFileSync(new URL("quotes/tdx_v4_9069d475eda3.bin", REAL));
const NOW = 1756885319_000;
const HOUR = 3_600_000;
const ROOT_CRL = { kind: "root-ca-crl" } as const;

type Behaviour = (request: CollateralRequest, options: FetchOptions) => Promise<CollateralAnswer> | CollateralAnswer;

class Double implements CollateralSource {
  readonly kind = "pccs";
  readonly name: string;
  fetches = 0;
  atOnce = 0;
  mostAtOnce = 0;
  maxAgeMs: number | undefined;
  behaviour: Behaviour;

  constructor(name: string, behaviour: Behaviour) {
    this.name = name;
    this.behaviour = behaviour;
  }

  async fetch<R extends CollateralRequest>(request: R, options: FetchOptions) {
    this.fetches++;
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.atOnce);
    await new Promise((resolve) => setImmediate(resolve));
    try {
      const answer = (await this.behaviour(request, options)) as AnswerTo<R>;
      return { answer, ...(this.maxAgeMs === undefined ? {} : { maxAgeMs: this.maxAgeMs }) };
    } finally {
      this.atOnce--;
    }
  }
}

const genuine: Behaviour = ({ kind }) => answersOf(SET)[kind] as CollateralAnswer;
const failing =
  (code: "SOURCE_UNREACHABLE" | "NOT_FOUND" | "PLATFORM_UNKNOWN", message: string): Behaviour =>
  () => {
    throw new CollateralError(code, message);
  };

function setUp(sources: readonly Double[], more: Partial<CollateralProviderOptions> = {}) {
  const clock = new ManualClock(NOW);
  const events: ProviderEvent[] = [];
  const provider = new CollateralProvider({
    sources,
    trustedRoots: [INTEL_SGX_ROOT_KEY],
    clock,
    random: () => 0.5,
    report: (event) => events.push(event),
    ...more,
  });
  return { clock, events, provider, kinds: () => events.map(({ kind }) => kind) };
}

const settle = async () => {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
};

const refused = (promise: Promise<unknown>, code: string, ...words: RegExp[]) =>
  assert.rejects(promise, (error) => {
    assert.ok(error instanceof CollateralError, String(error));
    assert.equal(error.code, code, error.message);
    for (const word of words) assert.match(error.message, word);
    return true;
  });

describe("collateral for a quote", () => {
  it("of a real TDX platform makes the verdict that the reference verifier gives", async () => {
    const { provider, clock } = setUp([new Double("pcs", genuine)]);
    const { collateral, parts } = await collateralForQuote(provider, QUOTE);
    assert.deepEqual(collateral, fields(SET));
    assert.equal(parts.length, 4);
    const terms = { now: new Date(clock.now()), trustedRoots: [INTEL_SGX_ROOT_KEY], crypto: nodeCrypto };
    const { ret, result } = verifyQuote(QUOTE, collateral, terms);
    assert.deepEqual([ret, result], [0, verifyQuote(QUOTE, fields(SET) as never, terms).result]);
  });

  it("of a real SGX platform as well", async () => {
    const name = "dq_sgx_00a067";
    const source = new Double("pcs", ({ kind }) => answersOf(name)[kind] as CollateralAnswer);
    const { provider, clock } = setUp([source]);
    clock.set(1750416971_000);
    const quote = readFileSync(new URL("quotes/sgx_v3_f8b81014b6e4.bin", REAL));
    const { collateral } = await collateralForQuote(provider, quote);
    const terms = { now: new Date(clock.now()), trustedRoots: [INTEL_SGX_ROOT_KEY], crypto: nodeCrypto };
    assert.equal(verifyQuote(quote, collateral, terms).ret, 0);
  });

  it("of another platform than the source answers for is not believed", async () => {
    const quote = readFileSync(new URL("quotes/sgx_v3_f8b81014b6e4.bin", REAL));
    const { provider } = setUp([new Double("pcs", genuine)]);
    await refused(collateralForQuote(provider, quote), "ANSWER_UNTRUSTED");
  });
});

describe("one request", () => {
  it("is answered from memory while it is fresh, and from the cache on disk by another process", async () => {
    const cache = new CacheDouble();
    const source = new Double("pcs", genuine);
    const { provider, kinds } = setUp([source], { cache });
    assert.equal((await provider.get(ROOT_CRL)).fromCache, false);
    assert.equal((await provider.get(ROOT_CRL)).fromCache, true);
    assert.deepEqual(kinds(), ["miss", "fetched", "hit"]);
    const other = setUp([source], { cache });
    assert.equal((await other.provider.get(ROOT_CRL)).fromCache, true);
    assert.equal(source.fetches, 1);
  });

  it("that 10,000 ask at once is fetched once", async () => {
    const source = new Double("pcs", genuine);
    const { provider } = setUp([source]);
    const answers = await Promise.all(Array.from({ length: 10_000 }, () => provider.get(ROOT_CRL)));
    assert.equal(source.fetches, 1);
    assert.ok(answers.every(({ answer }) => answer === answers[0]?.answer));
  });

  it("10,000 requests of 10,000 keys reach the sources at most 16 at a time; more than may wait are refused", async () => {
    const source = new Double("pcs", failing("NOT_FOUND", "none"));
    const { provider } = setUp([source], { maxWaiting: 9_000 });
    const results = await Promise.allSettled(
      Array.from({ length: 10_000 }, (_, i) =>
        provider.get({ kind: "tcb-info", tee: "sgx", fmspc: `${i}`.padStart(12, "0"), update: "standard", version: 4 }),
      ),
    );
    assert.equal(source.mostAtOnce, 16);
    const codes = results.map((result) =>
      result.status === "rejected" ? (result.reason as CollateralError).code : "",
    );
    assert.equal(codes.filter((code) => code === "NOT_FOUND").length, 9_016);
    assert.equal(codes.filter((code) => code === "SOURCE_BUSY").length, 984);
  });

  it("goes to the next source where one fails, and names every one where all do", async () => {
    const down = new Double("pccs https://a", failing("SOURCE_UNREACHABLE", "connection refused"));
    const good = setUp([down, new Double("pcs", genuine)]);
    assert.equal((await good.provider.get(ROOT_CRL)).source, "pcs");
    const unknown = new Double("pccs https://b", failing("PLATFORM_UNKNOWN", "PCCS at https://b answered 461"));
    const bad = setUp([down, unknown]);
    await refused(
      bad.provider.get(ROOT_CRL),
      "PLATFORM_UNKNOWN",
      /pccs https:\/\/a: connection refused/,
      /answered 461/,
    );
    assert.deepEqual(bad.kinds(), ["miss", "failed", "failed"]);
    await refused(setUp([]).provider.get(ROOT_CRL), "NO_SOURCE");
    await refused(setUp([], { offline: true }).provider.get(ROOT_CRL), "NOT_FOUND", /offline/);
  });

  it("ends in 20 s whatever the sources do, and gives each its share", async () => {
    const silent = () => new Double("silent", () => new Promise<never>(() => undefined));
    const sources = [silent(), silent()];
    const { provider, clock } = setUp(sources);
    const asked = refused(provider.get(ROOT_CRL), "DEADLINE", /share of the time/);
    await settle();
    assert.deepEqual([sources[0]?.fetches, sources[1]?.fetches], [1, 0]);
    clock.advance(10_000);
    await settle();
    assert.equal(sources[1]?.fetches, 1);
    clock.advance(10_000);
    await asked;
    assert.equal(clock.waiting, 0);
  });

  it("that waits for its turn ends with its own deadline too", async () => {
    const silent = new Double("silent", () => new Promise<never>(() => undefined));
    const { provider, clock } = setUp([silent], { concurrency: 1 });
    const first = refused(provider.get(ROOT_CRL), "DEADLINE");
    const second = refused(provider.get({ kind: "pck-crl", ca: "platform" }), "DEADLINE", /could be asked in time/);
    await settle();
    clock.advance(20_000);
    await Promise.all([first, second]);
    assert.equal(silent.fetches, 1);
  });

  it("with a wrong signature, or another document than was asked for, is neither used nor kept", async () => {
    const cache = new CacheDouble();
    const forged: Behaviour = (request, options) => {
      const answer = genuine(request, options) as Extract<CollateralAnswer, { kind: "root-ca-crl" }>;
      const crl = answer.crl.slice();
      crl[crl.length - 1] = (crl[crl.length - 1] as number) ^ 1;
      return { ...answer, crl };
    };
    await refused(setUp([new Double("evil", forged)], { cache }).provider.get(ROOT_CRL), "ANSWER_UNTRUSTED");
    assert.equal(cache.entries.size, 0);
  });
});

describe("time", () => {
  it("what is about to expire is refreshed in the background, once however many ask", async () => {
    const source = new Double("pcs", genuine);
    const { provider, clock, kinds } = setUp([source], { collateralCacheMs: HOUR });
    await provider.get(ROOT_CRL);
    clock.advance(0.84 * HOUR);
    await provider.get(ROOT_CRL);
    await settle();
    assert.equal(source.fetches, 1);
    clock.advance(0.02 * HOUR);
    await Promise.all([provider.get(ROOT_CRL), provider.get(ROOT_CRL), provider.get(ROOT_CRL)]);
    await settle();
    assert.equal(source.fetches, 2);
    assert.ok(kinds().includes("refreshed"));
  });

  it("max-age 0 is not kept", async () => {
    const source = new Double("pcs", genuine);
    source.maxAgeMs = 0;
    const { provider } = setUp([source]);
    await provider.get(ROOT_CRL);
    await provider.get(ROOT_CRL);
    assert.equal(source.fetches, 2);
  });

  it("past nextUpdate it is given stale up to the limit, with a report, then refused", async () => {
    const source = new Double("pcs", genuine);
    const { provider, clock, kinds } = setUp([source]);
    const { facts } = await provider.get(ROOT_CRL);
    source.behaviour = failing("SOURCE_UNREACHABLE", "down");
    clock.set(facts.nextUpdate + HOUR);
    const stale = await provider.get(ROOT_CRL);
    assert.deepEqual([stale.stale, stale.fromCache], [true, true]);
    assert.ok(kinds().includes("stale"));
    const fetches = source.fetches;
    await provider.get(ROOT_CRL);
    assert.equal(source.fetches, fetches, "sources are left alone for a while");
    clock.set(facts.nextUpdate + 8 * 24 * HOUR);
    await refused(provider.get(ROOT_CRL), "ANSWER_EXPIRED", /stale limit/, /down/);
  });

  it("offline there is no limit unless one is named", async () => {
    const cache = new CacheDouble();
    const first = setUp([new Double("pcs", genuine)], { cache });
    const { facts } = await first.provider.get(ROOT_CRL);
    const offline = setUp([], { cache, offline: true, staleLimitMs: Number.POSITIVE_INFINITY });
    offline.clock.set(facts.nextUpdate + 365 * 24 * HOUR);
    assert.equal((await offline.provider.get(ROOT_CRL)).stale, true);
  });

  it("by a clock an hour behind what was stored is asked for again; an hour ahead it still serves", async () => {
    const cache = new CacheDouble();
    const source = new Double("pcs", genuine);
    await setUp([source], { cache }).provider.get(ROOT_CRL);
    for (const [hours, fetches] of [
      [-1, 2],
      [2, 2],
    ] as const) {
      const { provider, clock } = setUp([source], { cache });
      clock.set(NOW + hours * HOUR);
      await provider.get(ROOT_CRL);
      assert.equal(source.fetches, fetches);
    }
  });

  it("something older never replaces something newer", async () => {
    const older = answersOf("oe_attplugin_sgx")["root-ca-crl"] as CollateralAnswer;
    const source = new Double("pcs", genuine);
    const cache = new CacheDouble();
    const { provider, clock, kinds } = setUp([source], { cache, collateralCacheMs: HOUR });
    const newer = await provider.get(ROOT_CRL);
    source.behaviour = () => older;
    clock.advance(2 * HOUR);
    assert.equal((await provider.get(ROOT_CRL)).answer, newer.answer);
    assert.equal(cache.entries.get(requestKey(ROOT_CRL))?.answer, newer.answer);
    assert.ok(kinds().includes("older") || kinds().includes("failed"));
  });

  it("a cache whose entry does not pass the checks is not believed, and one that fails costs nothing", async () => {
    const cache = new CacheDouble();
    const forged = { kind: "root-ca-crl", crl: Uint8Array.of(0x30, 0) } as const;
    cache.entries.set(requestKey(ROOT_CRL), { answer: forged, storedAt: NOW, source: "x" });
    const { provider, kinds } = setUp([new Double("pcs", genuine)], { cache });
    assert.equal((await provider.get(ROOT_CRL)).fromCache, false);
    assert.deepEqual(kinds(), ["cache-refused", "miss", "fetched"]);
    const broken: AnswerCache = {
      read: () => Promise.reject(new CollateralError("CACHE_UNUSABLE", "full")),
      write: () => Promise.reject(new CollateralError("CACHE_UNUSABLE", "full")),
      remove: () => Promise.resolve(),
    };
    const without = setUp([new Double("pcs", genuine)], { cache: broken });
    assert.equal((await without.provider.get(ROOT_CRL)).fromCache, false);
    assert.deepEqual(without.kinds(), ["cache-failed", "miss", "fetched", "cache-failed"]);
  });
});
