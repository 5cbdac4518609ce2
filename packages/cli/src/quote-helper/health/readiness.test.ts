import assert from "node:assert/strict";
import { test } from "node:test";
import { ReadinessCheck } from "./readiness.ts";

function check() {
  const world = { ours: true, probes: 0, time: 0, probe: async () => {} };
  const readiness = new ReadinessCheck({
    socketPath: import.meta.filename,
    isOurs: () => world.ours,
    probe: () => {
      world.probes++;
      return world.probe();
    },
    now: () => world.time,
  });
  return { world, readiness };
}

test("not ready before the socket has its path, and no probe is made", async () => {
  const { world, readiness } = check();
  assert.deepEqual(await readiness.verdict(), { ok: false, why: "starting: the socket is not in its place yet" });
  assert.equal(world.probes, 0);
});

test("ready: the path is our own socket and the probe passes; asked once a second at most", async () => {
  const { world, readiness } = check();
  readiness.serving();
  for (const [time, probes] of [
    [0, 1],
    [999, 1],
    [1000, 2],
  ] as const) {
    world.time = time;
    assert.equal((await readiness.verdict()).ok, true);
    assert.equal(world.probes, probes);
  }
});

test("questions at the same time share one probe", async () => {
  const { world, readiness } = check();
  readiness.serving();
  const answers = await Promise.all([readiness.verdict(), readiness.verdict(), readiness.verdict()]);
  assert.deepEqual([answers.every(({ ok }) => ok), world.probes], [true, 1]);
});

test("a probe that fails is the reason, until one passes", async () => {
  const { world, readiness } = check();
  readiness.serving();
  world.probe = () => Promise.reject(new Error("init_quote_ex: no answer within 2000 ms"));
  assert.deepEqual(await readiness.verdict(), { ok: false, why: "init_quote_ex: no answer within 2000 ms" });
  world.probe = async () => {};
  assert.equal((await readiness.verdict()).ok, false, "what was found holds for a second");
  world.time = 1000;
  assert.equal((await readiness.verdict()).ok, true);
});

test("a path that leads elsewhere is not ready at once, without waiting for the next probe", async () => {
  const { world, readiness } = check();
  readiness.serving();
  assert.equal((await readiness.verdict()).ok, true);
  world.ours = false;
  const { ok, why } = await readiness.verdict();
  assert.equal(ok, false);
  assert.match(why, /another process took it over/);
});

test("a path that is gone is told from one that was taken over", async () => {
  const readiness = new ReadinessCheck({
    socketPath: "/nonexistent/aesm.socket",
    isOurs: () => false,
    probe: async () => {},
    now: () => 0,
  });
  readiness.serving();
  assert.deepEqual(await readiness.verdict(), {
    ok: false,
    why: "/nonexistent/aesm.socket is gone: somebody removed it",
  });
});

test("a probe that a successor answered does not count", async () => {
  const { world, readiness } = check();
  readiness.serving();
  world.probe = async () => {
    world.ours = false;
  };
  assert.equal((await readiness.verdict()).ok, false);
});

test("stopping is not ready for good, with the reason", async () => {
  const { readiness } = check();
  readiness.serving();
  readiness.stopping("SIGTERM");
  readiness.serving();
  assert.deepEqual(await readiness.verdict(), { ok: false, why: "stopping: SIGTERM" });
});
