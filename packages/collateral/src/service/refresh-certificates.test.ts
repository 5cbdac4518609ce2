import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { CollateralError } from "../errors.ts";
import { ServiceRefusal } from "./status.ts";
import { pckcert, type ServiceBench, serviceBench, statusOf } from "./testing/service-bench.ts";
import { DOUBLE_FMSPC } from "./testing/upstream-double.ts";

/** So many platforms in the cache, and an upstream that nothing was asked of. */
async function fleet(t: TestContext, size: number): Promise<ServiceBench> {
  const bench = serviceBench("LAZY", { limits: { trustedRate: 1e9, trustedBurst: 1e9, refreshAnswerMs: 5_000 } });
  t.after(() => bench.service.close());
  const ca = "platform" as const;
  await bench.service.get({ kind: "tcb-info", tee: "sgx", fmspc: DOUBLE_FMSPC, update: "standard", version: 4 });
  await bench.store.write(
    Array.from({ length: size }, (_, n) => {
      const { qeId, pceId, encryptedPpid = "" } = pckcert(n);
      return {
        put: "platform",
        platform: { qeId, pceId, encryptedPpid, platformManifest: "", fmspc: DOUBLE_FMSPC, ca },
      };
    }),
  );
  bench.upstream.calls.length = 0;
  return bench;
}

const asked = ({ upstream }: ServiceBench) => upstream.callsOf("pckcerts/");
const down = new CollateralError("SOURCE_UNREACHABLE", "down");

test("the certificates of 3,000 platforms are fetched once each, a few at a time, and it is said how far it is", async (t) => {
  const bench = await fleet(t, 3_000);
  await bench.service.refresh([]);
  assert.equal(asked(bench), 3_000);
  assert.ok(bench.upstream.mostAtOnce <= 16, `${bench.upstream.mostAtOnce} at once`);
  const seen = bench.events.flatMap((event) => (event.event === "refresh-progress" ? [event.seen] : []));
  assert.deepEqual(seen, [1_000, 2_000, 3_000]);
});

test("a request is answered in time while the round goes on, and who asks again gets the outcome of that round", async (t) => {
  const bench = await fleet(t, 300);
  let open = () => {};
  bench.upstream.gate = new Promise((resolve) => {
    open = resolve;
  });
  const first = bench.service.refresh([]);
  const late = assert.rejects(first, (error) => error instanceof ServiceRefusal && error.retryAfter === 30);
  await turn();
  bench.clock.advance(5_000);
  await late;
  open();
  await bench.service.refresh([]);
  assert.equal(asked(bench), 300);
  await bench.service.refresh([]);
  assert.equal(asked(bench), 600);
});

test("a round is interrupted when the upstream is gone, and the next one goes on where it was", async (t) => {
  const bench = await fleet(t, 2_000);
  const { upstream } = bench;
  const { push } = upstream.calls;
  upstream.calls.push = (...calls) => {
    if (asked(bench) >= 1_200) upstream.failure = down;
    return push.apply(upstream.calls, calls);
  };
  assert.equal(await statusOf(() => bench.service.refresh([])), 502);
  const before = asked(bench);
  assert.ok(before < 1_300, `${before} asked`);
  upstream.calls.push = push;
  upstream.failure = undefined;
  await bench.service.refresh([]);
  // Those that failed, and what is left of the page that they were in, once more.
  assert.ok(asked(bench) - before <= 2_000 - 1_024, `${asked(bench) - before} asked`);
  assert.ok(asked(bench) >= 2_000);
  upstream.calls.length = 0;
  await bench.service.refresh([]);
  assert.equal(asked(bench), 2_000);
});

test("platforms that the upstream has no certificates of do not end the round", async (t) => {
  const bench = await fleet(t, 200);
  bench.upstream.failure = new CollateralError("NOT_FOUND", "no such platform");
  assert.equal(await statusOf(() => bench.service.refresh([])), 404);
  assert.equal(asked(bench), 200);
});

test("one replica refreshes certificates at a time", async (t) => {
  const one = await fleet(t, 100);
  const other = serviceBench("LAZY", { beside: one });
  const results = await Promise.all([one, other].map(({ service }) => statusOf(() => service.refresh([]))));
  assert.deepEqual(results.sort(), [200, 503]);
  assert.equal(asked(one), 100);
});
