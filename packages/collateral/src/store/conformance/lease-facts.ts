import assert from "node:assert/strict";
import { test } from "node:test";
import type { WithStore } from "./with-store.ts";

const LONG = 60_000;

export function leaseFacts(name: string, withStore: WithStore): void {
  test(`${name}: a lease has one owner until it is released`, () =>
    withStore(async ({ leases }) => {
      assert.equal(await leases.acquire("a", LONG), true);
      assert.equal(await leases.acquire("a", LONG), false);
      assert.equal(await leases.acquire("b", LONG), true);
      await leases.release("a");
      assert.equal(await leases.acquire("a", LONG), true);
    }));

  test(`${name}: of many who want a lease at once, one has it`, () =>
    withStore(async ({ leases }) => {
      const won = await Promise.all(Array.from({ length: 100 }, () => leases.acquire("a", LONG)));
      assert.equal(won.filter(Boolean).length, 1);
    }));

  test(`${name}: a lease whose time is over can be taken`, () =>
    withStore(async ({ leases }) => {
      assert.equal(await leases.acquire("a", 30), true);
      const signal = new AbortController().signal;
      // A loop, because a clock may be coarse: how long it takes is nobody's promise here.
      while (!(await leases.acquire("a", LONG))) await leases.released("a", 1_000, signal);
      assert.equal(await leases.acquire("a", LONG), false);
    }));

  test(`${name}: a release that nobody holds is nothing`, () =>
    withStore(async ({ leases }) => {
      await leases.release("nobody's");
      assert.equal(await leases.acquire("nobody's", LONG), true);
    }));

  test(`${name}: all who wait hear of a release`, () =>
    withStore(async ({ leases }) => {
      await leases.acquire("a", LONG);
      const signal = new AbortController().signal;
      const waiting = Array.from({ length: 20 }, () => leases.released("a", LONG, signal));
      await leases.release("a");
      await Promise.all(waiting);
    }));

  test(`${name}: who waits for a free key, for its own time or until it is told off waits no longer`, () =>
    withStore(async ({ leases }) => {
      const none = new AbortController().signal;
      await leases.released("free", LONG, none);
      await leases.acquire("a", LONG);
      await leases.released("a", 20, none);
      const controller = new AbortController();
      const waiting = leases.released("a", LONG, controller.signal);
      controller.abort(new Error("enough"));
      await settled(waiting);
      await settled(leases.released("a", LONG, AbortSignal.abort(new Error("before"))));
    }));

  test(`${name}: odd keys are keys`, () =>
    withStore(async ({ leases }) => {
      for (const key of ["", "'", "é\u{1f512}", "x".repeat(2_000)]) {
        assert.equal(await leases.acquire(key, LONG), true, JSON.stringify(key.slice(0, 10)));
        assert.equal(await leases.acquire(key, LONG), false);
      }
    }));
}

/** Whether an aborted wait resolves or rejects with the reason is the store's; that it ends is the fact. */
async function settled(waiting: Promise<void>): Promise<void> {
  await waiting.catch((error: unknown) => assert.ok(error instanceof Error));
}
