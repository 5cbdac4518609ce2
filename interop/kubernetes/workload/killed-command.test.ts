import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { FakeCluster, serveCluster } from "@confcom/kubernetes/testing";
import { killAtWrite, killed } from "./killed-command.ts";

const BIN = fileURLToPath(new URL("../../../packages/cli/bin/confcom.mjs", import.meta.url));

test("a command is killed when as many objects are written as was said, and told from one that ended by itself", async () => {
  const directory = mkdtempSync(join(tmpdir(), "confcom-killed-"));
  const cluster = new FakeCluster();
  const served = await serveCluster(cluster);
  const kubeconfig = join(directory, "kubeconfig");
  writeFileSync(kubeconfig, served.kubeconfig);
  const start = (verb: string, env: Readonly<Record<string, string>>) => {
    const args = [BIN, "addon", verb, "-a", "confcom", "--no-wait", "--kubeconfig", kubeconfig];
    return spawn(process.execPath, args, { env: { ...process.env, ...env } });
  };
  try {
    const before = cluster.paths().length;
    await killed(start("enable", killAtWrite(7)));
    assert.equal(cluster.paths().length, before + 7);
    await assert.rejects(killed(start("enable", killAtWrite(1000))), /it was not killed/);
    const enabled = cluster.paths().length;
    await killed(start("disable", killAtWrite(4)));
    assert.equal(cluster.paths().length, enabled - 3, "the first write is that of the state");
  } finally {
    await served.close();
    rmSync(directory, { recursive: true });
  }
});
