import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { get } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { TLSSocket } from "node:tls";
import { fileURLToPath } from "node:url";
import { preparedFiles } from "./prepared-files.ts";

const main = fileURLToPath(new URL("../../main.ts", import.meta.url));

interface Report {
  readonly authority: { readonly fingerprint: string; readonly made: boolean };
  readonly server: { readonly fingerprint: string; readonly made: boolean; readonly ipAddresses: readonly string[] };
  readonly userToken: { readonly made: boolean };
}

function stateDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "confcom-prepare-"));
  t.after(() => rmSync(directory, { recursive: true }));
  return join(directory, "state");
}

async function prepare(...args: string[]) {
  const child = spawn(process.execPath, [main, "pccs", "prepare", ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const [stdout, stderr, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
  return { stdout, stderr, status: status as number };
}

/** The fingerprint of the certificate that a service shows to those who trust `ca`. */
function shown(url: string, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get(url, { ca, agent: false }, (response) => {
      resolve(`SHA-256 ${(response.socket as TLSSocket).getPeerCertificate().fingerprint256}`);
      response.destroy();
    });
    request.on("error", reject);
  });
}

test("prepare says what it made and kept, never the token; the token goes to the file that was named", async (t) => {
  const state = stateDirectory(t);
  const out = `${state}-token`;
  const first = await prepare("--state", state, "--dns-name", "pccs", "--user-token-out", out, "--json");
  assert.equal(first.status, 0, first.stderr);
  const made = JSON.parse(first.stdout) as Report;
  assert.deepEqual([made.authority.made, made.server.made, made.userToken.made], [true, true, true]);
  const token = readFileSync(out, "utf8");
  assert.equal(token, readFileSync(preparedFiles(state).userToken, "utf8"));
  assert.ok(!`${first.stdout}${first.stderr}`.includes(token.trim()));
  for (const path of [out, preparedFiles(state).authority, preparedFiles(state).server]) {
    assert.equal(statSync(path).mode & 0o777, 0o600, path);
  }
  const second = JSON.parse((await prepare("--state", state, "--dns-name", "pccs", "--json")).stdout) as Report;
  assert.deepEqual([second.authority.made, second.server.made, second.userToken.made], [false, false, false]);
});

test("names that no certificate can have are refused before anything is made", async (t) => {
  const state = stateDirectory(t);
  for (const names of [[], ["--dns-name", "UPPER"], ["--dns-name", "127.0.0.1"], ["--ip-address", "pccs"]]) {
    assert.equal((await prepare("--state", state, ...names)).status, 64, names.join(" "));
  }
  assert.equal(statSync(state, { throwIfNoEntry: false }), undefined);
});

test("a service with --follow-files shows the renewed certificate without a signal, under the same authority", async (t) => {
  const state = stateDirectory(t);
  const files = preparedFiles(state);
  await prepare("--state", state, "--ip-address", "127.0.0.1");
  const ca = readFileSync(files.ca, "utf8");
  const tls = ["--tls-cert", files.server, "--tls-key", files.server, "--user-token-file", files.userTokenHashes];
  const options = ["--state", state, "--upstream", "software", "--listen", "127.0.0.1:0", "--follow-files", "--json"];
  const child = spawn(process.execPath, [main, "pccs", ...options, ...tls], { stdio: ["ignore", "pipe", "ignore"] });
  const exited = once(child, "exit");
  try {
    const [line] = (await once(createInterface(child.stdout), "line")) as [string];
    const { url } = JSON.parse(line) as { url: string };
    const before = await shown(`${url}/sgx/certification/v4/rootcacrl`, ca);
    const again = ["--state", state, "--ip-address", "127.0.0.1", "--dns-name", "pccs", "--json"];
    const renewed = JSON.parse((await prepare(...again)).stdout) as Report;
    assert.deepEqual([renewed.authority.made, renewed.server.made], [false, true]);
    assert.notEqual(renewed.server.fingerprint, before);
    for (let n = 0; n < 200; n++) {
      if ((await shown(`${url}/sgx/certification/v4/rootcacrl`, ca)) === renewed.server.fingerprint) return;
      await sleep(100);
    }
    assert.fail("the old certificate is still shown");
  } finally {
    child.kill("SIGKILL");
    await exited;
  }
});
