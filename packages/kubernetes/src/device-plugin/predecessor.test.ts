import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { meetPredecessor } from "./predecessor.ts";

const clock = {
  now: () => performance.now(),
  setTimeout: (run: () => void, milliseconds: number) => setTimeout(run, milliseconds),
  clearTimeout: (timer: unknown) => clearTimeout(timer as NodeJS.Timeout),
};
let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "confcom-predecessor-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

test("nobody serves a path that is not there", async () => {
  assert.equal(await meetPredecessor(join(directory, "none.sock"), clock), undefined);
});

for (const [how, time] of [
  ["when its connection ends", undefined],
  ["after a second at the latest", 1000],
] as const) {
  test(`a predecessor has left ${how}`, async () => {
    const path = join(directory, "epc.sock");
    const sockets: Socket[] = [];
    const server = createServer((socket) => sockets.push(socket));
    await new Promise<void>((listening) => server.listen(path, listening));
    const delays: number[] = [];
    const quick = {
      ...clock,
      setTimeout: (run: () => void, milliseconds: number) => {
        delays.push(milliseconds);
        return time === undefined ? undefined : setImmediate(run);
      },
      clearTimeout: () => undefined,
    };
    const predecessor = await meetPredecessor(path, quick);
    const left = predecessor?.left();
    if (time === undefined) setImmediate(() => sockets.map((socket) => socket.destroy()));
    await left;
    assert.deepEqual(delays, [1000]);
    for (const socket of sockets) socket.destroy();
    await new Promise((closed) => server.close(closed));
  });
}
