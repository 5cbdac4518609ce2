import assert from "node:assert/strict";
import { test } from "node:test";
import { certificateEnd } from "../check/certificate-end.ts";
import { CollateralError } from "../errors.ts";
import { softwarePki } from "../testing/index.ts";
import { pckcert, type ServiceBench, serviceBench, statusOf } from "./testing/service-bench.ts";
import { DAY } from "./testing/upstream-double.ts";

const WEEK = 7 * DAY;
const tcbm = `${"05".repeat(16)}0D00`;

/** A platform in the cache whose certificate ends in a day. */
async function endingInADay(mode: "LAZY" | "REQ" | "OFFLINE"): Promise<ServiceBench & { readonly end: number }> {
  const lazy = serviceBench("LAZY");
  const end = lazy.clock.now() + DAY;
  lazy.upstream.certificates = [{ tcbm, certificate: `old until ${end}` }];
  assert.equal((await lazy.service.get(pckcert(1))).until <= end, true);
  lazy.upstream.calls.length = 0;
  return { ...(mode === "LAZY" ? lazy : serviceBench(mode, { beside: lazy })), end };
}

const renewals = ({ upstream }: ServiceBench) => upstream.callsOf("pckcerts/");

for (const mode of ["LAZY", "REQ"] as const) {
  test(`${mode}: a certificate that has ended is fetched anew, once for all who ask`, async () => {
    const bench = await endingInADay(mode);
    bench.clock.advance(DAY);
    bench.upstream.certificates = [{ tcbm, certificate: `new until ${bench.end + WEEK}` }];
    const answers = await Promise.all(Array.from({ length: 20 }, () => bench.service.get(pckcert(1))));
    for (const { answer, stale } of answers) {
      assert.match(answer.certificate, /^new/);
      assert.equal(stale, false);
    }
    assert.equal(renewals(bench), 1);
  });
}

test("one that cannot be had anew is served stale within the limit, asked for again by and by, and then refused", async () => {
  const bench = await endingInADay("LAZY");
  const { service, upstream, clock } = bench;
  upstream.failure = new CollateralError("SOURCE_UNREACHABLE", "down");
  clock.advance(DAY);
  for (let n = 0; n < 5; n++) assert.equal((await service.get(pckcert(1))).stale, true);
  assert.equal(renewals(bench), 1);
  clock.advance(60_000);
  const { stale, until } = await service.get(pckcert(1));
  assert.equal(stale, true);
  assert.ok(until <= clock.now() + 30_000);
  assert.equal(renewals(bench), 2);
  clock.advance(WEEK);
  assert.equal(await statusOf(() => service.get(pckcert(1))), 502);
});

test("an upstream whose own certificate has ended does not make it fresh", async () => {
  const { service, clock } = await endingInADay("LAZY");
  clock.advance(DAY);
  assert.equal((await service.get(pckcert(1))).stale, true);
});

test("OFFLINE serves it stale without end and asks nobody", async () => {
  const bench = await endingInADay("OFFLINE");
  bench.clock.advance(100 * WEEK);
  assert.equal((await bench.service.get(pckcert(1))).stale, true);
  assert.equal(bench.upstream.calls.length, 0);
});

test("the end is the first of certificate and chain; what is no certificate has ended", () => {
  const pki = softwarePki();
  const platform = pki.addPlatform();
  const notAfter = Date.UTC(2030, 0, 1);
  const chain = platform.certificates.issuerChain;
  assert.equal(certificateEnd(pki.pckCertificate({ notAfter }), chain), notAfter);
  assert.equal(certificateEnd(chain, pki.pckCertificate({ notAfter })), notAfter);
  assert.equal(certificateEnd("certificate", chain), 0);
  assert.equal(certificateEnd(pki.pckCertificate(), ""), 0);
});
