import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { until } from "../testing/until.ts";
import { KubeletDirectory, kubeletSocketIdentity } from "./kubelet-directory.ts";

/** A clock on which a test lets the time pass; files are watched in real time. */
class ManualClock {
  readonly timers = new Map<object, { run: () => void; milliseconds: number }>();

  now(): number {
    return 0;
  }

  setTimeout(run: () => void, milliseconds: number): object {
    const timer = {};
    this.timers.set(timer, { run, milliseconds });
    return timer;
  }

  clearTimeout(timer: unknown): void {
    this.timers.delete(timer as object);
  }

  /** Whether a timer of this length runs. */
  waits(milliseconds: number): boolean {
    return [...this.timers.values()].some((timer) => timer.milliseconds === milliseconds);
  }

  /** Lets every timer of this length elapse. */
  elapse(milliseconds: number): void {
    for (const [key, timer] of [...this.timers]) {
      if (timer.milliseconds !== milliseconds) continue;
      this.timers.delete(key);
      timer.run();
    }
  }
}

const DEBOUNCE_MS = 100;
const POLL_MS = 5_000;

let parent: string;
let directory: string;
let clock: ManualClock;
let changes: number;
let watch: KubeletDirectory;

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), "confcom-directory-"));
  directory = join(parent, "device-plugins");
  mkdirSync(directory);
  clock = new ManualClock();
  changes = 0;
  watch = new KubeletDirectory({
    directory,
    clock,
    concerns: (name) => name === "kubelet.sock",
    changed: () => {
      changes += 1;
    },
  });
});

afterEach(() => {
  watch.close();
  rmSync(parent, { recursive: true });
});

test("a burst of events is one look, 100 ms after the first", async () => {
  for (let round = 0; round < 20; round += 1) {
    writeFileSync(join(directory, "kubelet.sock"), "");
    rmSync(join(directory, "kubelet.sock"));
  }
  await until("the event", () => clock.waits(DEBOUNCE_MS));
  assert.equal(changes, 0);
  clock.elapse(DEBOUNCE_MS);
  assert.equal(changes, 1);
});

test("files that concern nobody are not looked at", async () => {
  writeFileSync(join(directory, "kubelet_internal_checkpoint"), "{}");
  writeFileSync(join(directory, "kubelet.sock"), "");
  await until("the event that counts", () => clock.waits(DEBOUNCE_MS));
  assert.equal([...clock.timers.values()].filter(({ milliseconds }) => milliseconds === DEBOUNCE_MS).length, 1);
});

test("every 5 s there is a look without any event", () => {
  clock.elapse(POLL_MS);
  clock.elapse(POLL_MS);
  assert.equal(changes, 2);
});

test("a directory that is made anew is watched from the next look on", async () => {
  rmSync(directory, { recursive: true });
  clock.elapse(POLL_MS);
  mkdirSync(directory);
  clock.elapse(POLL_MS);
  clock.elapse(DEBOUNCE_MS);
  writeFileSync(join(directory, "kubelet.sock"), "");
  await until("the event", () => clock.waits(DEBOUNCE_MS));
});

test("nothing runs after it was closed", () => {
  watch.close();
  assert.equal(clock.timers.size, 0);
});

test("a kubelet's socket that is made again is another one", async () => {
  const path = join(directory, "kubelet.sock");
  assert.equal(await kubeletSocketIdentity(path), undefined);
  const seen = new Set<string | undefined>();
  for (let round = 0; round < 5; round += 1) {
    writeFileSync(path, "");
    seen.add(await kubeletSocketIdentity(path));
    rmSync(path);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.equal(seen.size, 5);
});
