import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { clusterLayout } from "./layout.ts";
import { clusterScript, machineScript, SHADOWED_SYSCTLS, shellWord } from "./machine-script.ts";

function script(directory: string): string {
  return machineScript({
    layout: clusterLayout(directory).machine("sgx-1"),
    hostname: "sgx-1",
    binaries: "/usr/local/kubernetes",
    hosts: ["10.10.0.2 control-plane"],
  });
}

test("both scripts are shell, whatever the directory is called", () => {
  for (const text of [clusterScript(), script("/tmp/a b'c$(d)")]) {
    const { status, stderr } = spawnSync("sh", ["-n"], { input: text });
    assert.equal(status, 0, stderr.toString());
  }
});

test("a word survives the shell, quotes and all", () => {
  const word = 'it\'s $HOME `x` \\ "y"';
  const { stdout } = spawnSync("sh", ["-c", `printf %s ${shellWord(word)}`]);
  assert.equal(stdout.toString(), word);
});

test("every sysctl that a kubelet writes is a file of the machine's own", () => {
  const text = script("/srv/x");
  for (const name of Object.keys(SHADOWED_SYSCTLS)) {
    assert.ok(text.includes(`/srv/x/machines/sgx-1/sysctls/${name.replaceAll("/", ".")}' proc/sys/${name}`), name);
  }
});

test("the rest of /proc/sys is read-only but for the network namespace's part, before the machine is ready", () => {
  const text = script("/srv/x");
  const order = ["remount,bind,ro proc/sys", "mount --bind /proc/sys/net proc/sys/net", "pivot_root", "echo ready"];
  const places = order.map((part) => text.indexOf(part));
  assert.ok(places.every((place) => place > 0));
  assert.deepEqual(
    places.toSorted((a, b) => a - b),
    places,
  );
});

test("nothing before pivot_root writes outside the machine's root: every target is relative or in the cluster's directory", () => {
  const before = script("/srv/x").split("pivot_root")[0] ?? "";
  for (const line of before.split("\n").filter((text) => /^(mkdir|rm|mknod|ln|:|echo|printf) /.test(text))) {
    const target = line.split(/ |>/).at(-1) ?? "";
    assert.doesNotMatch(target, /^\//, line);
  }
});
