import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

// `confcom device-plugin` and `confcom node-status` as a container runtime starts and stops them.

const MAIN = fileURLToPath(new URL("../main.ts", import.meta.url));
const directory = mkdtempSync(join(tmpdir(), "confcom-daemons-"));
const path = (name: string) => join(directory, name);
mkdirSync(path("host/dev"), { recursive: true });
mkdirSync(path("device-plugins"));
writeFileSync(path("token"), "token\n");
writeFileSync(path("ca.crt"), "");
after(() => rmSync(directory, { recursive: true, force: true }));

const PLUGIN = [
  "device-plugin",
  "--json",
  "--listen=127.0.0.1:0",
  `--host-root=${path("host")}`,
  `--device-plugin-directory=${path("device-plugins")}`,
  `--pod-resources-socket=${path("pod-resources.sock")}`,
];
const NODE_STATUS = [
  "node-status",
  "--json",
  "--listen=127.0.0.1:0",
  `--token-file=${path("token")}`,
  `--ca-file=${path("ca.crt")}`,
];

function start(args: readonly string[], env: Record<string, string> = {}): ChildProcess {
  const { KUBERNETES_SERVICE_HOST: _host, NODE_NAME: _name, ...inherited } = process.env;
  return spawn(process.execPath, [MAIN, ...args], {
    env: { ...inherited, NO_COLOR: "1", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

interface Ended {
  readonly status: number | null;
  /** Both streams: with --json a failure is a document on standard output. */
  readonly text: string;
}

function ended(child: ChildProcess): Promise<Ended> {
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (data) => {
      text += data;
    });
  }
  return new Promise((resolve) => child.on("close", (status) => resolve({ status, text })));
}

const run = (args: readonly string[], env?: Record<string, string>) => ended(start(args, env));

async function statusUrl(child: ChildProcess): Promise<string> {
  const line = await new Promise<string>((resolve) => child.stdout?.once("data", (data) => resolve(String(data))));
  return (JSON.parse(line) as { status: string }).status;
}

test("a device plugin on a machine without SGX is idle, says so, and ends with 0 at SIGTERM", async () => {
  const child = start([...PLUGIN, "--node-name=worker-1"]);
  const end = ended(child);
  const url = await statusUrl(child);
  const ready = await fetch(url.replace("/status", "/readyz"));
  assert.deepEqual([ready.status, await ready.text()], [200, "idle: this node has no usable SGX\n"]);
  const status = (await (await fetch(url)).json()) as { state: string; node: string; sgx: { capable: boolean } };
  assert.deepEqual([status.state, status.node, status.sgx.capable], ["idle", "worker-1", false]);
  assert.match(await (await fetch(url.replace("/status", "/metrics"))).text(), /confcom_device_plugin_info/);
  child.kill("SIGTERM");
  assert.equal((await end).status, 0);
});

test("user signals do not end it, and do not open a debugger", async () => {
  const child = start(PLUGIN);
  const end = ended(child);
  const url = await statusUrl(child);
  child.kill("SIGUSR1");
  child.kill("SIGUSR2");
  child.kill("SIGHUP");
  assert.equal((await fetch(url)).status, 200);
  child.kill("SIGINT");
  const { status, text } = await end;
  assert.equal(status, 0);
  assert.doesNotMatch(text, /Debugger/);
});

test("an address that is taken is exit status 78, with the code", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  const { status, text } = await run([...PLUGIN, `--listen=127.0.0.1:${port}`]);
  server.close();
  assert.equal(status, 78);
  assert.match(text, /STATUS_ADDRESS_UNUSABLE/);
});

test("the init container's part writes what it found out, even that it found out nothing", async () => {
  const { status } = await run([...PLUGIN, `--cpuid-to=${path("cpuid.json")}`]);
  assert.equal(status, 0);
  assert.match(readFileSync(path("cpuid.json"), "utf8"), /"unavailable"/);
  assert.equal((await run([...PLUGIN, `--cpuid-to=${path("no/such/cpuid.json")}`])).status, 73);
});

test("a pipe in the place of the init container's file holds nothing up", async () => {
  execFileSync("mkfifo", [path("pipe")]);
  const child = start([...PLUGIN, `--cpuid-from=${path("pipe")}`]);
  const end = ended(child);
  const status = (await (await fetch(await statusUrl(child))).json()) as { sgx: { epc: { tried: { why: string }[] } } };
  assert.ok(status.sgx.epc.tried.some(({ why }) => /^the file of --cpuid-from cannot be used: .*EINVAL/.test(why)));
  child.kill("SIGTERM");
  assert.equal((await end).status, 0);
});

test("wrong options are exit status 64", async () => {
  for (const options of [
    ["--mode=both"],
    ["--resource-names=mine"],
    ["--enclave-slots=-1"],
    ["--quote-slots=10001"],
    ["--epc-mib=0"],
    ["--listen=9101"],
    ["--node-name=Not_A_Node"],
    ["--rescan-seconds=0"],
    ["--device-plugin-directory="],
    ["--host-root=host"],
    ["--numa", "--resource-names=intel"],
    ["--numa", "--mode=counter"],
  ]) {
    assert.equal((await run([...PLUGIN, ...options])).status, 64, options.join(" "));
  }
});

test("node-status waits for plugin and API server, and ends with 0 at SIGTERM", async () => {
  const away = ["--plugin=http://127.0.0.1:1/status", "--api-server=http://127.0.0.1:1"];
  const child = start([...NODE_STATUS, ...away], { NODE_NAME: "worker-1" });
  const end = ended(child);
  const url = await statusUrl(child);
  const status = (await (await fetch(url)).json()) as { node: string; plugin: { state: null } };
  assert.deepEqual([status.node, status.plugin.state], ["worker-1", null]);
  assert.equal((await fetch(url.replace("/status", "/healthz"))).status, 200);
  assert.equal((await fetch(url.replace("/status", "/readyz"))).status, 503);
  child.kill("SIGTERM");
  assert.equal((await end).status, 0);
});

test("node-status wants a node and an API server that it can trust a token with", async () => {
  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [["--api-server=https://10.0.0.1:6443"], /--node-name is missing/],
    [["--node-name=worker-1"], /KUBERNETES_SERVICE_HOST is not set/],
    [["--node-name=worker-1", "--api-server=http://10.0.0.1:6443"], /which only an address of this machine may be/],
    [["--node-name=worker-1", "--api-server=ftp://10.0.0.1"], /takes a URL/],
    [["--node-name=worker-1", "--api-server=https://10.0.0.1", "--plugin=file:///x"], /--plugin takes a URL/],
  ];
  for (const [options, message] of wrong) {
    const { status, text } = await run([...NODE_STATUS, ...options]);
    assert.equal(status, 64, options.join(" "));
    assert.match(text, message);
  }
});
