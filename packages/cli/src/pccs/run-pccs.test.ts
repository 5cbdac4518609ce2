import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../main.ts", import.meta.url));

/** A service with the software platform's authority behind it, killed at the end of the test if it is still there. */
async function softwarePccs(t: TestContext, ...more: string[]) {
  const directory = mkdtempSync(join(tmpdir(), "confcom-pccs-"));
  const state = join(directory, "state");
  const options = ["--http", "--listen", "127.0.0.1:0", "--state", state, "--json", ...more];
  const child = spawn(process.execPath, [main, "pccs", "--upstream", "software", ...options], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exited = once(child, "exit");
  t.after(async () => {
    child.kill("SIGKILL");
    await exited;
    rmSync(directory, { recursive: true });
  });
  let log = "";
  child.stderr.on("data", (chunk: Buffer) => {
    log += chunk.toString();
  });
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  const ready = JSON.parse(line) as { url: string; mode: string; rootCertificate: string };
  return { ...ready, directory, state, child, exited, log: () => log };
}

async function run(...args: string[]) {
  const child = spawn(process.execPath, [main, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const [stdout, stderr, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
  return { stdout, stderr, status: status as number };
}

test("confcom pccs serves the software platform's collateral and ends orderly at SIGTERM", async (t) => {
  const ready = await softwarePccs(t);
  assert.equal(ready.mode, "LAZY");
  assert.match(ready.rootCertificate, /BEGIN CERTIFICATE/);
  const get = (path: string) => fetch(`${ready.url}/sgx/certification/v4/${path}`);
  assert.equal((await get("qe/identity")).status, 200);
  assert.equal((await get("pckcrl?ca=platform&encoding=der")).status, 200);
  assert.equal((await get("tcb?fmspc=FFFFFFFFFFFF")).status, 404);
  assert.equal((await get("crl?uri=https://elsewhere.example/root.crl")).status, 400);
  ready.child.kill("SIGTERM");
  assert.deepEqual(await ready.exited, [0, null]);
});

test("confcom pccs revoke works beside the service, which serves the new CRLs without a restart", async (t) => {
  const { url, state } = await softwarePccs(t);
  const der = async (path: string) =>
    Buffer.from(await (await fetch(`${url}/sgx/certification/v4/${path}`)).arrayBuffer());
  const before = await der("pckcrl?ca=platform&encoding=der");
  await der("rootcacrl");
  const chain = await fetch(`${url}/sgx/certification/v4/pckcrl?ca=platform`);
  const ca = new X509Certificate(decodeURIComponent(chain.headers.get("sgx-pck-crl-issuer-chain") ?? ""));
  const revoke = (...args: string[]) => run("pccs", "revoke", ...args, "--state", state, "--json");

  const unknown = JSON.parse((await revoke("0123456789abcdef")).stdout) as { issued: boolean };
  assert.equal(unknown.issued, false);
  const serves = async (path: string, serial: string) => {
    for (let n = 0; n < 100; n++) {
      if ((await der(path)).toString("latin1").includes(Buffer.from(serial, "hex").toString("latin1"))) return;
      await sleep(100);
    }
    assert.fail(`${path} has no ${serial}`);
  };
  assert.ok(!before.includes("0123456789abcdef", 0, "hex"));
  await serves("pckcrl?ca=platform&encoding=der", "0123456789abcdef");

  const own = JSON.parse(
    (await revoke(ca.serialNumber, "--issuer", "root", "--reason", "superseded")).stdout,
  ) as Record<string, unknown>;
  const revoked = ca.serialNumber.toLowerCase();
  assert.deepEqual(own, { revoked, issuer: "root", reason: "superseded", issued: true });
  // Hexadecimal, as it is served without encoding=der.
  await serves("rootcacrl", Buffer.from(revoked).toString("hex"));
});

test("confcom pccs revoke makes no authority, and says what serial numbers and reasons there are", async (t) => {
  const state = mkdtempSync(join(tmpdir(), "confcom-pccs-"));
  t.after(() => rmSync(state, { recursive: true }));
  assert.equal((await run("pccs", "revoke", "0a", "--state", state)).status, 65);
  assert.deepEqual(readdirSync(state), []);
  assert.equal((await run("pccs", "revoke", "xyz", "--state", state)).status, 64);
  const reason = await run("pccs", "revoke", "0a", "--state", state, "--reason", "boredom");
  assert.equal(reason.status, 64);
  assert.match(reason.stderr, /keyCompromise/);
});

test("SIGHUP reads the configuration again: limits hold at once, and the log says what needs a restart", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "confcom-pccs-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const config = join(directory, "pccs.json");
  writeFileSync(config, JSON.stringify({ httpLimits: { maxUrl: 100 } }));
  const { url, child, log } = await softwarePccs(t, "--config", config);
  const long = `${url}/sgx/certification/v4/qe/identity?update=standard&${"x".repeat(100)}=1`;
  assert.equal((await fetch(long)).status, 400);
  const until = async (words: RegExp) => {
    for (let n = 0; n < 200 && !words.test(log()); n++) await sleep(50);
    assert.match(log(), words);
  };
  writeFileSync(config, JSON.stringify({ httpLimits: { maxUrll: 1 } }));
  child.kill("SIGHUP");
  await until(/SIGHUP: kept what was in force: .*unknown limit/);
  assert.equal((await fetch(long)).status, 400);
  writeFileSync(config, JSON.stringify({ mode: "req", httpLimits: { responseCache: 1_000_000 } }));
  child.kill("SIGHUP");
  await until(/in force after a restart: mode, httpLimits.responseCache"/);
  assert.equal((await fetch(long)).status, 200);
});
