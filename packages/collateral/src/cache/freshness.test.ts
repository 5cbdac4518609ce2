import assert from "node:assert/strict";
import { it } from "node:test";
import { compareAge, freshness } from "./freshness.ts";
import { answerSize, MemoryCache } from "./memory-cache.ts";

const HOUR = 3_600_000;
const NOW = 1_000_000_000_000;

it("an answer is fresh until the earliest of nextUpdate, Cache-Control and the configured lifetime", () => {
  const until = (nextUpdate: number, maxAgeMs: number | undefined, lifetimeMs: number) =>
    freshness({ storedAt: NOW, ...(maxAgeMs === undefined ? {} : { maxAgeMs }) }, { nextUpdate }, lifetimeMs, {
      now: NOW,
      share: 0,
    }).freshUntil;
  assert.equal(until(NOW + HOUR, 2 * HOUR, 3 * HOUR), NOW + HOUR);
  assert.equal(until(NOW + 3 * HOUR, HOUR, 2 * HOUR), NOW + HOUR);
  assert.equal(until(NOW + 3 * HOUR, undefined, HOUR), NOW + HOUR);
  assert.equal(until(NOW + 3 * HOUR, 0, HOUR), NOW);
});

it("it is refreshed when 80 to 90 % of that are over", () => {
  const at = (share: number) =>
    freshness({ storedAt: NOW }, { nextUpdate: NOW + 100 * HOUR }, 10 * HOUR, { now: NOW, share }).refreshAt;
  assert.equal(at(0), NOW + 8 * HOUR);
  assert.ok(at(0.999) < NOW + 9 * HOUR && at(0.999) > NOW + 8.9 * HOUR);
});

it("one stored by a clock an hour ahead is not fresh", () => {
  const terms = { now: NOW, share: 0 };
  assert.equal(freshness({ storedAt: NOW + HOUR }, { nextUpdate: NOW + 9 * HOUR }, 9 * HOUR, terms).freshUntil, 0);
  assert.notEqual(freshness({ storedAt: NOW + 1000 }, { nextUpdate: NOW + HOUR }, HOUR, terms).freshUntil, 0);
});

it("newer is: the later evaluation, or the CRL of a higher number, then the later issue, then the later nextUpdate", () => {
  const facts = (issued: number, nextUpdate: number, tcbEvaluationDataNumber: number) => ({
    issued,
    nextUpdate,
    tcbEvaluationDataNumber,
  });
  assert.ok(compareAge(facts(1, 1, 18), facts(9, 9, 17)) > 0);
  assert.ok(compareAge(facts(1, 9, 17), facts(2, 1, 17)) < 0);
  assert.ok(compareAge(facts(1, 2, 17), facts(1, 1, 17)) > 0);
  assert.equal(compareAge(facts(1, 2, 17), facts(1, 2, 17)), 0);
  const crl = (crlNumber: number, issued: number) => ({ crlNumber, issued, nextUpdate: 9 });
  assert.ok(compareAge(crl(2, 1), crl(1, 5)) > 0);
  assert.ok(compareAge(crl(1, 1), crl(1, 5)) < 0);
  assert.ok(compareAge({ issued: 2, nextUpdate: 2 }, { issued: 1, nextUpdate: 9 }) > 0);
});

it("memory is bounded by bytes; the least recently used go", () => {
  const size = answerSize({ kind: "root-ca-crl", crl: new Uint8Array(1000) });
  assert.ok(size >= 1000);
  const cache = new MemoryCache<{ size: number }>(3 * size);
  for (const key of ["a", "b", "c"]) cache.set(key, { size });
  cache.get("a");
  cache.peek("b");
  cache.set("d", { size });
  assert.deepEqual(
    ["a", "b", "c", "d"].map((key) => cache.get(key) !== undefined),
    [true, false, true, true],
  );
  cache.set("d", { size: 1 });
  assert.equal(cache.bytes, 2 * size + 1);
  cache.set("huge", { size: 4 * size });
  assert.equal(cache.get("huge"), undefined);
  assert.equal(cache.entries, 3);
});
