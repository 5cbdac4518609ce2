import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { compile } from "./static-program.ts";

const missing = spawnSync("cc", ["--version"]).error !== undefined;
const place = mkdtempSync(join(tmpdir(), "confcom-programs-test-"));
after(() => rmSync(place, { recursive: true, force: true }));

/** True once the program sleeps, which is when it waits for signals: until then one would end it, were it not process 1. */
async function sleeps(pid: number): Promise<boolean> {
  return /^State:\s*S/m.test(await readFile(`/proc/${pid}/status`, "utf8"));
}

describe("the C programs of the cluster's images", { skip: missing ? "cc is not installed" : false }, () => {
  const built = { pause: "", probe: "", hello: "" };
  before(async () => {
    built.pause = await compile(new URL("pause.c", import.meta.url), place);
    built.probe = await compile(new URL("probe.c", import.meta.url), place);
    built.hello = await compile(new URL("../../../samples/quickstart/hello.c", import.meta.url), place);
  });

  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    it(`pause waits, and ends well at ${signal}`, async () => {
      const child = spawn(built.pause, { stdio: "ignore" });
      const ended = once(child, "exit");
      while (!(await sleeps(child.pid as number))) await sleep(5);
      // A child's end is not a reason to end.
      child.kill("SIGCHLD");
      child.kill(signal);
      assert.deepEqual(await ended, [0, null]);
    });
  }

  it("probe says in one line of JSON what it was given", () => {
    const env = { SGX_AESM_ADDR: '"1"\\', PASSWORD: "secret" };
    const { status, stdout } = spawnSync(built.probe, { env, encoding: "utf8" });
    assert.equal(status, 0);
    assert.equal(stdout.indexOf("\n"), stdout.length - 1);
    const seen = JSON.parse(stdout);
    assert.deepEqual(seen.env, { SGX_AESM_ADDR: '"1"\\' });
    assert.equal(seen.uid, process.getuid?.());
    const nothing = seen.devices.find(({ path }: { path: string }) => path === "/dev/null");
    assert.deepEqual([nothing.type, nothing.major, nothing.minor], ["char", 1, 3]);
    assert.ok(seen.mounts.some(({ point }: { point: string }) => point === "/proc"));
    assert.equal(seen.sgx["/dev/sgx_enclave"] === "ENOENT", !existsSync("/dev/sgx_enclave"));
  });

  it("probe holds until it is told to end", async () => {
    const child = spawn(built.probe, ["--hold"], { stdio: ["ignore", "pipe", "inherit"] });
    await once(child.stdout, "data");
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    assert.deepEqual(await ended, [0, null]);
  });

  it("probe refuses arguments that it does not know", () => {
    assert.equal(spawnSync(built.probe, ["--hodl"]).status, 64);
  });

  it("hello says what is missing when there is no device", { skip: existsSync("/dev/sgx_enclave") }, () => {
    const { status, stdout, stderr } = spawnSync(built.hello, { encoding: "utf8" });
    assert.equal(status, 1);
    assert.equal(stdout, "");
    assert.match(stderr, /cannot open \/dev\/sgx_enclave: No such file or directory/);
  });
});
