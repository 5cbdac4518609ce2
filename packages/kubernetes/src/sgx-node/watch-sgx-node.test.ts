import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { probeSgxNode, type SgxNode } from "./sgx-node.ts";
import { MemoryHost } from "./testing/memory-host.ts";
import { IN_TREE, sysfs } from "./testing/node-types.ts";
import { watchSgxNode } from "./watch-sgx-node.ts";

/** A clock whose timers run when the test says so. */
function standingClock() {
  const timers = new Map<number, { readonly run: () => void; readonly after: number }>();
  let next = 1;
  return {
    setTimeout: (run: () => void, after: number) => {
      timers.set(next, { run, after });
      return next++;
    },
    clearTimeout: (timer: unknown) => void timers.delete(timer as number),
    pending: () => [...timers.values()].map(({ after }) => after),
    /** Runs the timers that are set now. */
    pass: () => {
      for (const [timer, { run }] of [...timers]) {
        timers.delete(timer);
        run();
      }
    },
  };
}

function watched(files: ConstructorParameters<typeof MemoryHost>[0]) {
  const host = new MemoryHost({ "/dev/null": { device: 3 }, ...files });
  const clock = standingClock();
  const changes: SgxNode[] = [];
  const listeners = new Map<string, (name: string | undefined) => void>();
  const watch = watchSgxNode({
    probe: () => probeSgxNode({ root: host }),
    changed: (node) => changes.push(node),
    clock,
    watchDirectory: (path, changed) => {
      listeners.set(path, changed);
      return () => void listeners.delete(path);
    },
  });
  return { host, clock, changes, listeners, watch };
}

describe("following a node", () => {
  it("nothing is said while nothing changes", () => {
    const { clock, changes, watch } = watched({ ...IN_TREE, ...sysfs(1 << 30) });
    assert.equal(watch.current().capable, true);
    for (let i = 0; i < 3; i++) clock.pass();
    assert.deepEqual(changes, []);
    assert.deepEqual(clock.pending(), [5000]);
  });

  it("devices that vanish and come back are each said once", () => {
    const { host, clock, changes } = watched({ ...IN_TREE, ...sysfs(1 << 30) });
    host.remove("/dev/sgx_enclave");
    clock.pass();
    clock.pass();
    host.plant("/dev/sgx_enclave", { device: 0x0a7d });
    clock.pass();
    assert.deepEqual(
      changes.map(({ capable }) => capable),
      [false, true],
    );
  });

  it("a device that was made again is a change, even with the same name: another inode, another number, another mode", () => {
    const { host, clock, changes } = watched({ "/dev/sgx_enclave": { device: 1, inode: 1 }, ...sysfs(1 << 30) });
    host.plant("/dev/sgx_enclave", { device: 1, inode: 2 });
    clock.pass();
    host.plant("/dev/sgx_enclave", { device: 2, inode: 2 });
    clock.pass();
    host.plant("/dev/sgx_enclave", { device: 2, inode: 2, mode: 0o600 });
    clock.pass();
    assert.equal(changes.length, 3);
  });

  it("EPC that changes is a change", () => {
    const { host, clock, changes } = watched({ ...IN_TREE, ...sysfs(1 << 30) });
    host.plant("/sys/devices/system/node/node0/x86/sgx_total_bytes", "2147483648\n");
    clock.pass();
    assert.deepEqual(
      changes.map(({ epc }) => epc.totalMiB),
      [2048],
    );
  });

  it("events of /dev bring the next look forward, many of them one look, others none", () => {
    const { host, clock, changes, listeners } = watched({ ...sysfs(1 << 30) });
    listeners.get("/dev")?.("ttyS0");
    assert.deepEqual(clock.pending(), [5000]);
    listeners.get("/dev")?.("sgx_enclave");
    listeners.get("/dev")?.("sgx_provision");
    listeners.get("/dev")?.(undefined);
    listeners.get("/dev/sgx")?.("enclave");
    assert.deepEqual(clock.pending(), [5000, 200]);
    for (const [path, device] of Object.entries(IN_TREE)) host.plant(path, device);
    clock.pass();
    assert.equal(changes.length, 1);
  });

  it("after close nothing is looked at and nothing is left", () => {
    const { host, clock, changes, listeners, watch } = watched({ ...IN_TREE, ...sysfs(1 << 30) });
    listeners.get("/dev")?.("sgx");
    watch.close();
    host.remove("/dev/sgx_enclave");
    clock.pass();
    watch.rescan();
    assert.deepEqual([clock.pending(), changes, listeners.size], [[], [], 0]);
  });

  it("a listener may close the watch", () => {
    const host = new MemoryHost({ ...IN_TREE });
    const clock = standingClock();
    const watch = watchSgxNode({ probe: () => probeSgxNode({ root: host }), changed: () => watch.close(), clock });
    host.remove("/dev/sgx_enclave");
    clock.pass();
    assert.deepEqual(clock.pending(), []);
  });
});
