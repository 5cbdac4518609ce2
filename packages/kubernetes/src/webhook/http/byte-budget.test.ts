import assert from "node:assert/strict";
import { test } from "node:test";
import { ByteBudget, type Release } from "./byte-budget.ts";

function taking(budget: ByteBudget, bytes: number) {
  const state: { release: Release | undefined; cancel: (() => void) | undefined } = {
    release: undefined,
    cancel: undefined,
  };
  state.cancel = budget.take(bytes, (release) => {
    state.release = release;
  });
  return state;
}

test("who finds room starts at once, the others in turn as room is given back", () => {
  const budget = new ByteBudget(10, 10);
  const [first, large, small] = [taking(budget, 6), taking(budget, 8), taking(budget, 2)];
  assert.ok(first.release !== undefined);
  assert.equal(large.release, undefined);
  assert.equal(small.release, undefined, "a small one must not overtake the large one for ever");
  first.release();
  assert.ok(large.release !== undefined && small.release !== undefined);
});

test("more than there ever is waits for all of it, and gives back no more", () => {
  const budget = new ByteBudget(10, 10);
  const all = taking(budget, 100);
  assert.ok(all.release !== undefined);
  all.release();
  all.release();
  const [one, two] = [taking(budget, 10), taking(budget, 1)];
  assert.ok(one.release !== undefined);
  assert.equal(two.release, undefined);
});

test("who stops waiting leaves the queue, and a full queue takes nobody", () => {
  const budget = new ByteBudget(10, 2);
  const holder = taking(budget, 8);
  const [large, small] = [taking(budget, 9), taking(budget, 2)];
  assert.equal(taking(budget, 1).cancel, undefined);
  large.cancel?.();
  assert.ok(small.release !== undefined, "what stood in the way is gone");
  holder.release?.();
  assert.ok(taking(budget, 8).release !== undefined);
});
