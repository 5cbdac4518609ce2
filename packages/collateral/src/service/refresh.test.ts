import assert from "node:assert/strict";
import { test } from "node:test";
import { CollateralError } from "../errors.ts";
import { pckcert, registrationOf, serviceBench, statusOf } from "./testing/service-bench.ts";
import { DAY, DOUBLE_FMSPC } from "./testing/upstream-double.ts";

const HOUR = 3_600_000;

test("refresh fetches each document that is cached once, and nothing else", async () => {
  const { service, upstream } = serviceBench("LAZY");
  await service.register(registrationOf(1), "standard");
  const known = upstream.calls.filter((call) => !call.startsWith("pckcerts/"));
  upstream.calls.length = 0;
  await service.refresh();
  assert.deepEqual([...upstream.calls].sort(), [...known].sort());
});

test("one document that cannot be had does not keep the others from being refreshed", async () => {
  const { service, upstream, events } = serviceBench("REQ");
  await service.register(registrationOf(1), "standard");
  upstream.calls.length = 0;
  upstream.failures.set("root-ca-crl", new CollateralError("SOURCE_UNREACHABLE", "down"));
  assert.equal(await statusOf(() => service.refresh()), 502);
  assert.ok(upstream.calls.length > 5);
  const round = events.findLast(({ event }) => event === "refresh");
  assert.ok(round?.event === "refresh" && round.failed === 1 && round.outcome === "failed");
});

test("refreshed certificates are chosen among anew for every raw TCB that was seen", async () => {
  const { service, upstream } = serviceBench("LAZY");
  assert.equal((await service.get(pckcert(1))).answer.certificate, "certificate 5");
  upstream.certificates = [{ tcbm: `${"04".repeat(16)}0D00`, certificate: "certificate 4" }];
  await service.refresh([DOUBLE_FMSPC]);
  assert.equal((await service.get(pckcert(1))).answer.certificate, "certificate 4");
});

test("callers of refresh at the same time share one round", async () => {
  const { service, upstream } = serviceBench("LAZY");
  await service.register(registrationOf(1), "standard");
  upstream.calls.length = 0;
  await Promise.all(Array.from({ length: 10 }, () => service.refresh()));
  assert.equal(new Set(upstream.calls).size, upstream.calls.length);
});

test("of two replicas one refreshes, once per interval", async () => {
  const options = { refreshIntervalMs: DAY };
  const one = serviceBench("LAZY", options);
  const other = serviceBench("LAZY", { ...options, beside: one, random: () => 0.6 });
  await one.service.register(registrationOf(1), "standard");
  const documents = one.upstream.calls.length - 1;
  one.upstream.calls.length = 0;
  await one.clock.advanceSlowly(4 * DAY, HOUR / 2);
  const rounds = one.upstream.calls.length / documents;
  assert.ok(rounds >= 3 && rounds <= 5, `${rounds} rounds`);
  const elsewhere = [...one.events, ...other.events].filter(
    (event) => event.event === "refresh" && event.outcome === "elsewhere",
  );
  assert.ok(elsewhere.length >= 3);
  await Promise.all([one.service.close(), other.service.close()]);
  await one.store.close();
  assert.equal(one.clock.waiting, 0);
});

test("what ends before the next round is refreshed before it ends", async () => {
  const { service, upstream, clock } = serviceBench("LAZY", { refreshIntervalMs: DAY });
  upstream.lifeMs = 6 * HOUR;
  await service.get({ kind: "root-ca-crl" });
  for (let hour = 0; hour < 72; hour++) {
    await clock.advanceSlowly(HOUR, HOUR / 4);
    assert.equal((await service.get({ kind: "root-ca-crl" })).stale, false, `hour ${hour}`);
  }
  assert.ok(upstream.calls.length < 72, `${upstream.calls.length} calls`);
  await service.close();
});

test("a round that failed is repeated, later each time, and the schedule goes on after it", async () => {
  const { service, upstream, clock, events } = serviceBench("LAZY", { refreshIntervalMs: DAY });
  await service.get({ kind: "root-ca-crl" });
  await clock.advanceSlowly(HOUR, HOUR / 4);
  upstream.failure = new CollateralError("SOURCE_UNREACHABLE", "down");
  await clock.advanceSlowly(2 * DAY, HOUR / 12);
  const failed = events.filter((event) => event.event === "refresh" && event.outcome === "failed").length;
  assert.ok(failed > 3 && failed < 20, `${failed} rounds failed`);
  upstream.failure = undefined;
  await clock.advanceSlowly(DAY, HOUR / 4);
  const last = events.findLast(({ event }) => event === "refresh");
  assert.ok(last?.event === "refresh" && last.outcome === "ok");
  await service.close();
});

test("a CRL that is kept by its URL is renewed where there is no room for another", async () => {
  const bench = serviceBench("LAZY", { limits: { crlUrls: 1 }, allowedCrlHosts: ["certificates.example"] });
  const { service, store, upstream, clock } = bench;
  const url = "https://certificates.example/root.crl";
  await service.get({ kind: "crl", url });
  await service.get({ kind: "crl", url: `${url}?another` });
  assert.deepEqual(store.crlUrls(), [url]);
  clock.advance(DAY);
  await service.refresh();
  assert.equal((await store.crl(url))?.issued, clock.now());
  assert.equal(upstream.callsOf("crl/"), 3);
});
