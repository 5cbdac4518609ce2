import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../main.ts", import.meta.url));

test("confcom pccs serves the software platform's collateral and ends orderly at SIGTERM", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "confcom-pccs-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const options = ["--http", "--listen", "127.0.0.1:0", "--state", join(directory, "state"), "--json"];
  const child = spawn(process.execPath, [main, "pccs", "--upstream", "software", ...options], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const exited = once(child, "exit");
  t.after(() => child.kill("SIGKILL"));
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  const ready = JSON.parse(line) as { url: string; mode: string; rootCertificate: string };
  assert.equal(ready.mode, "LAZY");
  assert.match(ready.rootCertificate, /BEGIN CERTIFICATE/);
  const get = (path: string) => fetch(`${ready.url}/sgx/certification/v4/${path}`);
  assert.equal((await get("qe/identity")).status, 200);
  assert.equal((await get("pckcrl?ca=platform&encoding=der")).status, 200);
  assert.equal((await get("tcb?fmspc=FFFFFFFFFFFF")).status, 404);
  assert.equal((await get("crl?uri=https://elsewhere.example/root.crl")).status, 400);
  child.kill("SIGTERM");
  assert.deepEqual(await exited, [0, null]);
});
