import assert from "node:assert/strict";
import { test } from "node:test";
import { compareSnapshots, type MachineSnapshot, residueLines, takeSnapshot } from "./residue.ts";

const NOTHING: MachineSnapshot = {
  mounts: [],
  links: [],
  addresses: [],
  networkNamespaces: [],
  cgroups: [],
  sysctls: [],
  processes: [],
  paths: [],
};

test("two equal snapshots leave no residue, in whatever order their lines are", () => {
  const before = { ...NOTHING, links: ["lo", "eth0"] };
  assert.deepEqual(compareSnapshots(before, { ...NOTHING, links: ["eth0", "lo"] }), []);
});

test("a mount that is there twice and was there once is residue once", () => {
  const before = { ...NOTHING, mounts: ["/run (/ of tmpfs tmpfs)"] };
  const after = { ...NOTHING, mounts: ["/run (/ of tmpfs tmpfs)", "/run (/ of tmpfs tmpfs)"] };
  assert.deepEqual(compareSnapshots(before, after), [
    { kind: "mounts", added: ["/run (/ of tmpfs tmpfs)"], removed: [] },
  ]);
});

test("a changed sysctl shows its old and its new value", () => {
  const before = { ...NOTHING, sysctls: ["kernel.panic = 0"] };
  const lines = residueLines(compareSnapshots(before, { ...NOTHING, sysctls: ["kernel.panic = 10"] }));
  assert.deepEqual(lines, ["sysctls:", "  + kernel.panic = 10", "  - kernel.panic = 0"]);
});

test("a snapshot of this machine sees its mounts, its links and the watched sysctls", () => {
  const snapshot = takeSnapshot();
  assert.ok(snapshot.mounts.some((mount) => mount.startsWith("/proc ")));
  assert.ok(snapshot.links.includes("lo"));
  assert.ok(snapshot.sysctls.some((line) => /^vm\.overcommit_memory = \d$/.test(line)));
});
