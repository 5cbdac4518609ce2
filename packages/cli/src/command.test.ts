import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

// The command as a person or a script runs it: exit status, standard output, standard error.

const MAIN = fileURLToPath(new URL("./main.ts", import.meta.url));
const directory = mkdtempSync(join(tmpdir(), "confcom-command-"));
const path = (name: string) => join(directory, name);
after(() => rmSync(directory, { recursive: true, force: true }));

interface Ran {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

function run(args: readonly string[], options: { shell?: string } = {}): Promise<Ran> {
  const env = { ...process.env, NO_COLOR: "1" };
  const child =
    options.shell === undefined
      ? spawn(process.execPath, [MAIN, ...args], { env })
      : spawn("bash", ["-c", `set -o pipefail; "${process.execPath}" "${MAIN}" ${args.join(" ")} ${options.shell}`], {
          env,
        });
  child.stdin.end();
  const text = { out: "", err: "" };
  child.stdout.on("data", (data) => (text.out += data));
  child.stderr.on("data", (data) => (text.err += data));
  return new Promise((resolve) => child.on("close", (status) => resolve({ status, ...text })));
}

let helper: ReturnType<typeof spawn>;
let helperLog = "";

before(async () => {
  const args = [
    MAIN,
    "quote-helper",
    "--socket",
    path("aesm.socket"),
    "--state",
    path("state"),
    "--workers",
    "2",
    "--json",
  ];
  helper = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  helper.stderr?.on("data", (data) => {
    helperLog += data;
  });
  const line = await new Promise<string>((resolve) => helper.stdout?.once("data", (data) => resolve(String(data))));
  assert.equal(JSON.parse(line).ready, true);
  assert.equal(
    (await run(["quote", "--socket", path("aesm.socket"), "--report-data", "01", "--out", path("quote.bin")])).status,
    0,
  );
  const flipped = readFileSync(path("quote.bin"));
  flipped[100] = (flipped[100] as number) ^ 1;
  writeFileSync(path("flipped.bin"), flipped);
});
after(() => helper.kill("SIGKILL"));

test("help and version that nobody reads are no crash", async () => {
  for (const words of [["--help"], ["addon", "enable", "--help"], ["--version"]]) {
    const child = spawn(process.execPath, [MAIN, ...words], { stdio: ["ignore", "pipe", "pipe"] });
    child.stdout.destroy();
    let err = "";
    child.stderr.on("data", (data) => {
      err += data;
    });
    const status = await new Promise((resolve) => child.on("close", resolve));
    assert.deepEqual({ status, err }, { status: 0, err: "" }, words.join(" "));
  }
});

test("verify: 0 for a quote whose root is named, 2 without it and for a flipped bit, 76 without collateral", async () => {
  const state = ["--state", path("state")];
  assert.equal((await run(["verify", path("quote.bin"), ...state])).status, 0);
  assert.equal((await run(["verify", path("flipped.bin"), ...state])).status, 2);
  await run(["collateral", "export", ...state, "--root", "--out", path("root.pem")]);
  const nowhere = ["--trust-root", path("root.pem"), "--offline", "--cache", "none"];
  assert.equal((await run(["verify", path("quote.bin"), ...nowhere])).status, 76);
  await run(["collateral", "export", ...state, "--out", path("collateral.json")]);
  const untrusted = await run(["verify", path("quote.bin"), "--collateral", path("collateral.json")]);
  assert.equal(untrusted.status, 2);
  assert.match(untrusted.out, /NOT VERIFIED 0xE022/);
});

test("every verify output of a software quote says what it does not prove", async () => {
  const args = ["verify", path("quote.bin"), "--state", path("state")];
  assert.match((await run(args)).out, /not that any enclave ran on SGX hardware/);
  assert.match(JSON.parse((await run([...args, "--json"])).out).note, /not that any enclave ran on SGX hardware/);
});

test("a reader that goes away never turns not verified into success", async () => {
  for (const json of ["", "--json"]) {
    const args = ["verify", path("flipped.bin"), "--state", path("state"), json];
    assert.equal((await run(args, { shell: "| true" })).status, 2);
  }
  assert.equal((await run(["inspect", path("quote.bin")], { shell: "| head -1" })).status, 0);
});

test("output that cannot be written is 73, or the answer when the answer is no", async () => {
  assert.equal((await run(["inspect", path("quote.bin")], { shell: "> /dev/full" })).status, 73);
  const verify = ["verify", "--state", path("state"), "--json"];
  assert.equal((await run([...verify, path("quote.bin")], { shell: "> /dev/full" })).status, 73);
  assert.equal((await run([...verify, path("flipped.bin")], { shell: "> /dev/full" })).status, 2);
});

test("with --json even a wrong command line is one JSON document", async () => {
  for (const args of [
    ["verify", "--json", "--nope"],
    ["frobnicate", "--json"],
    ["verify", "--json"],
  ]) {
    const { status, out } = await run(args);
    assert.equal(status, 64, args.join(" "));
    assert.equal(JSON.parse(out).error.code, "CLI_USAGE", args.join(" "));
  }
});

test("probe: 0 when a real init_quote_ex succeeds, 1 when nobody answers", async () => {
  assert.equal((await run(["probe", "--socket", path("aesm.socket")])).status, 0);
  const absent = await run(["probe", "--socket", path("absent.socket"), "--json"]);
  assert.equal(absent.status, 1);
  assert.equal(JSON.parse(absent.out).ready, false);
});

test("the user signals neither open a debugger nor end the daemon, and SIGHUP does not either", async () => {
  for (const signal of ["SIGUSR1", "SIGUSR2", "SIGHUP"] as const) {
    helper.kill(signal);
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal((await run(["probe", "--socket", path("aesm.socket")])).status, 0, signal);
  }
  assert.doesNotMatch(helperLog, /Debugger listening/);
  assert.match(helperLog, /SIGHUP: configuration and state read again/);
});

test("a live owner of the socket is not robbed: exit status 1, and the owner is named", async () => {
  const { status, err } = await run(["quote-helper", "--socket", path("aesm.socket"), "--state", path("state")]);
  assert.equal(status, 1);
  assert.match(err, /SOCKET_OWNED/);
  assert.match(err, new RegExp(`\\b${helper.pid}\\b`));
});

test("the hardware platform is refused with the way out, and nothing is left behind", async () => {
  const { status, err } = await run([
    "quote-helper",
    "--platform",
    "dcap",
    "--socket",
    path("other.socket"),
    "--state",
    path("other"),
  ]);
  assert.equal(status, 78);
  assert.match(err, /PLATFORM_UNAVAILABLE/);
});

test("escape sequences of an argument do not reach the terminal", async () => {
  const { err } = await run(["quote-helper", "--cpu", "\u001b[31mred"]);
  assert.ok(!err.includes("\u001b"));
});

test("a quote helper whose ready line nobody reads serves all the same", async () => {
  const args = ["quote-helper", "--socket", path("unread.socket"), "--state", path("state"), "--workers", "1"];
  const child = spawn("bash", [
    "-c",
    `exec "${process.execPath}" "${MAIN}" ${args.join(" ")} > /dev/full 2> /dev/null`,
  ]);
  let status: number | null = null;
  for (let i = 0; i < 100 && status !== 0; i++)
    status = (await run(["probe", "--socket", path("unread.socket")])).status;
  assert.equal(status, 0);
  const ended = new Promise((resolve) => child.on("exit", resolve));
  child.kill("SIGTERM");
  assert.equal(await ended, 0);
});
