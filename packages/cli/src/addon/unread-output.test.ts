import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { FakeCluster, serveCluster } from "@confcom/kubernetes/testing";

const BIN = fileURLToPath(new URL("../../bin/confcom.mjs", import.meta.url));
const STATE = "/api/v1/namespaces/kube-system/configmaps/sgx-addon";

test("nobody reads on: an installation is finished all the same, and the answer is left as the exit status", async () => {
  const directory = mkdtempSync(join(tmpdir(), "confcom-unread-"));
  const cluster = new FakeCluster();
  const served = await serveCluster(cluster);
  const kubeconfig = join(directory, "kubeconfig");
  writeFileSync(kubeconfig, served.kubeconfig);
  const unread = async (...words: string[]): Promise<unknown> => {
    const command = spawn(process.execPath, [BIN, "addon", ...words, "--kubeconfig", kubeconfig]);
    command.stdout.destroy();
    command.stderr.destroy();
    return new Promise((resolve) => command.on("exit", resolve));
  };
  try {
    // There is no add-on: the answer is no.
    assert.equal(await unread("status"), 1);
    assert.equal(await unread("show", "-a", "confcom"), 1);
    assert.equal(await unread("enable", "-a", "confcom", "--no-wait"), 0);
    assert.equal((cluster.object(STATE)?.data as { phase: string } | undefined)?.phase, "enabled");
    assert.equal(await unread("disable", "-a", "confcom", "--no-wait"), 0);
    assert.deepEqual(cluster.contents(), new FakeCluster().contents());
  } finally {
    await served.close();
    rmSync(directory, { recursive: true });
  }
});
