import assert from "node:assert/strict";
import { test } from "node:test";
import type { Authority } from "./authority-certificate.ts";
import { type AuthorityState, PREVIOUS_LIMIT } from "./authority-state.ts";
import { type Observed, rotationStep, takeStep } from "./rotation.ts";

const NOW = 1_000_000;
const TIMES = { authorityLife: 900, propagation: 30, retention: 60 };

function authority(name: string, notAfter = NOW + 900): Authority {
  const notBefore = notAfter - 900;
  return {
    certificate: name,
    privateKey: `key of ${name}`,
    fingerprint: name,
    serialNumber: name,
    notBefore,
    notAfter,
  };
}

function seen(
  state: AuthorityState,
  trusted: Readonly<Record<string, number>> = {},
  more: { asked?: boolean; previous?: number } = {},
): Observed {
  return {
    now: NOW,
    state,
    asked: more.asked ?? false,
    trustedFor: (fingerprint) => trusted[fingerprint],
    previousFor: () => more.previous,
  };
}

const [current, next, old] = [authority("current"), authority("next"), authority("old")];
const step = (...parameters: Parameters<typeof seen>) => rotationStep(seen(...parameters), TIMES);

test("a young authority stays, an old one gets a successor, and so does one that somebody asks for", () => {
  assert.equal(step({ current, previous: [] }), "none");
  assert.equal(step({ current, previous: [] }, {}, { asked: true }), "add-next");
  assert.equal(step({ current: authority("c", NOW + 301), previous: [] }), "none");
  assert.equal(step({ current: authority("c", NOW + 300), previous: [] }), "add-next");
});

test("the next is promoted only when the caBundles have carried it for long enough, and carry the present one", () => {
  const state = { current, next, previous: [] };
  assert.equal(step(state), "none");
  assert.equal(step(state, { next: 30 }), "none");
  assert.equal(step(state, { next: 29, current: 99 }), "none");
  assert.equal(step(state, { next: 30, current: 0 }), "promote");
});

test("a request during a rotation waits for its turn", () => {
  assert.equal(step({ current, next, previous: [] }, { next: 1, current: 9 }, { asked: true }), "none");
});

test("with too many former authorities no rotation begins", () => {
  const previous = Array.from({ length: PREVIOUS_LIMIT }, (_, index) => authority(`p${index}`));
  assert.equal(step({ current, previous }, {}, { asked: true, previous: 0 }), "none");
  assert.equal(step({ current, previous: previous.slice(1) }, {}, { asked: true, previous: 0 }), "add-next");
});

test("former authorities are dropped after the retention time, or when they have expired", () => {
  assert.equal(step({ current, previous: [old] }, {}, { previous: 59 }), "none");
  assert.equal(step({ current, previous: [old] }, {}, { previous: 60 }), "drop-previous");
  assert.equal(step({ current, previous: [authority("gone", NOW)] }, {}, { previous: 0 }), "drop-previous");
});

test("an expired authority gives way at once: to the next where it is trusted, else to a new one", () => {
  const gone = authority("gone", NOW);
  assert.equal(step({ current: gone, previous: [] }), "replace");
  assert.equal(step({ current: gone, next: gone, previous: [] }), "replace");
  assert.equal(step({ current: gone, next, previous: [] }, { next: 0 }), "promote");
  assert.equal(step({ current: gone, next, previous: [] }), "none");
  assert.equal(step({ current, next: gone, previous: [] }, { current: 99, next: 99 }), "add-next");
});

test("an authority from a clock that is ahead is never promoted, and one in use gets a successor that is trusted first", () => {
  const early = authority("early", NOW + 901);
  assert.equal(step({ current, next: early, previous: [] }, { early: 99, current: 99 }), "add-next");
  assert.equal(step({ current: early, previous: [] }, { early: 99 }), "add-next");
  assert.equal(step({ current: early, next, previous: [] }, { early: 99 }), "none");
  assert.equal(step({ current: early, next, previous: [] }, { early: 99, next: 0 }), "promote");
});

test("each step's state: a former authority keeps its certificate and loses its key", async () => {
  const fresh = async () => authority("fresh");
  const take = (name: Parameters<typeof takeStep>[0], state: AuthorityState, previous = 0) =>
    takeStep(name, seen(state, {}, { previous }), TIMES, fresh);
  assert.equal((await take("add-next", { current, previous: [old] })).next?.fingerprint, "fresh");
  const promoted = await take("promote", { current, next, previous: [old] });
  assert.deepEqual(
    [promoted.current.fingerprint, promoted.next, promoted.previous.map((one) => one.fingerprint)],
    ["next", undefined, ["current", "old"]],
  );
  assert.ok(!promoted.previous.some((one) => "privateKey" in one && one.fingerprint === "current"));
  assert.deepEqual((await take("drop-previous", { current, previous: [old] }, 60)).previous, []);
  const replaced = await take("replace", { current, previous: [old, authority("gone", NOW)] });
  assert.deepEqual([replaced.current.fingerprint, replaced.previous], ["fresh", [old]]);
});
