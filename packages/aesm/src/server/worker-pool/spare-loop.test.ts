import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Doorbells } from "./doorbell.ts";
import { LeadLoop, type LoopServer } from "./spare-loop.ts";

function bellsFor(workers: number): Doorbells {
  return new Doorbells(new SharedArrayBuffer(Doorbells.byteLength(workers)));
}

/** A lead after `accepts` connections, in which its loop was active and idle for so many milliseconds. */
function leadAfter(
  bells: Doorbells,
  accepts: number,
  active: number,
  idle: number,
  crowded = false,
): { readonly calledAll: boolean } {
  const server: LoopServer = { idle: true, crowded, onAccept: undefined };
  let accepted = 0;
  new LeadLoop(bells, server, () => ({ active: (active * accepted) / accepts, idle: (idle * accepted) / accepts }));
  while (accepted++ < accepts) server.onAccept?.();
  return { calledAll: !bells.callOne() };
}

describe("lead loop", () => {
  it("calls a sleeping loop when requests keep it busy", () => {
    assert.equal(leadAfter(bellsFor(2), 128, 9.9, 0.1).calledAll, true);
  });

  it("calls nobody while it has time to wait", () => {
    assert.equal(leadAfter(bellsFor(2), 128, 8, 2).calledAll, false);
  });

  it("calls nobody when it is busy with connections alone", () => {
    assert.equal(leadAfter(bellsFor(2), 1024, 10, 0).calledAll, false);
  });

  it("calls nobody before it has watched for a while", () => {
    assert.equal(leadAfter(bellsFor(2), 128, 3, 0).calledAll, false);
  });

  it("calls a sleeping loop when it holds many connections, however little it does", () => {
    assert.equal(leadAfter(bellsFor(2), 16, 0.1, 0.1, true).calledAll, true);
  });

  it("calls one loop at a time", () => {
    const bells = bellsFor(4);
    assert.equal(leadAfter(bells, 128, 9.9, 0.1).calledAll, false);
  });
});

describe("doorbell", () => {
  it("wakes a sleeper that was called, and says so", () => {
    const bells = bellsFor(2);
    const heard = bells.rings(1);
    assert.equal(bells.callOne(), true);
    assert.equal(bells.sleep(1, heard, 60_000), true);
  });

  it("is not missed when it rings before the sleep begins", () => {
    const bells = bellsFor(2);
    const heard = bells.rings(1);
    bells.ring(1);
    assert.equal(bells.sleep(1, heard, 60_000), false);
    assert.equal(bells.rings(1), heard + 1);
  });

  it("lets a loop that was called be called again only after it slept", () => {
    const bells = bellsFor(2);
    assert.equal(bells.callOne(), true);
    assert.equal(bells.callOne(), false);
    bells.sleep(1, bells.rings(1) - 1, 60_000);
    assert.equal(bells.callOne(), false);
    bells.sleep(1, bells.rings(1) - 1, 60_000);
    assert.equal(bells.callOne(), true);
  });
});
