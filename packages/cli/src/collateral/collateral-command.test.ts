import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { confcom, makeSoftwareQuote, type Ran, scratch } from "../verify/testing/confcom.ts";

// `confcom collateral config|fetch` and `confcom verify` without --collateral, as a person runs them.

const path = scratch();
const MAIN = fileURLToPath(new URL("../main.ts", import.meta.url));

/** As `confcom`, while this process answers requests. */
function confcomLater(...args: readonly string[]): Promise<Pick<Ran, "status" | "out" | "err">> {
  const child = spawn(process.execPath, [MAIN, ...args], { env: { ...process.env, NO_COLOR: "1" } });
  let out = "";
  let err = "";
  child.stdout.on("data", (chunk) => {
    out += chunk;
  });
  child.stderr.on("data", (chunk) => {
    err += chunk;
  });
  return new Promise((resolve) => child.once("close", (status) => resolve({ status, out, err })));
}

/** A PCCS that knows no platform, and counts. */
const pccs = createServer((_request, reply) => {
  asked++;
  reply.writeHead(404).end("No cache data for this platform.");
});
let asked = 0;
let url = "";

before(async () => {
  await makeSoftwareQuote(path, "00".repeat(32));
  assert.equal(confcom("collateral", "export", "--state", path("state"), "--out", path("tree")).status, 0);
  await new Promise<void>((resolve) => pccs.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(pccs.address() as AddressInfo).port}/sgx/certification/v4/`;
});
after(() => pccs.close());

describe("confcom collateral config", () => {
  it("prints each value and where it came from, and hides what may be a key", () => {
    const custom = { get_cert: { headers: { authorization: "geheim" }, params: {} } };
    const file = {
      pccs_url: "https://pccs.example/sgx/certification/v4/",
      retry_times: 6,
      custom_request_options: custom,
    };
    writeFileSync(path("qcnl.conf"), `${JSON.stringify(file)} // comment`);
    process.env.QCNL_CONF_PATH = path("qcnl.conf");
    try {
      const people = confcom("collateral", "config", "--stale-limit", "1d");
      assert.equal(people.status, 0);
      assert.match(
        people.out,
        /source 1 +pccs https:\/\/pccs\.example\/sgx\/certification\/v4\/ .*qcnl\.conf: pccs_url\)/,
      );
      assert.match(people.out, /retry times +6 +\(.*qcnl\.conf: retry_times\)/);
      assert.match(people.out, /stale limit +1d +\(--stale-limit\)/);
      assert.match(people.out, /deadline +20s +\(default\)/);
      const scripts = confcom("collateral", "config", "--json");
      const { settings } = JSON.parse(scripts.out) as { settings: { name: string; value: unknown }[] };
      assert.equal(settings.find(({ name }) => name === "retry times")?.value, 6);
      assert.doesNotMatch(people.out + scripts.out, /geheim/);
    } finally {
      delete process.env.QCNL_CONF_PATH;
    }
  });

  it("hides user, password and query of a file's URL", () => {
    writeFileSync(path("qcnl.conf"), '{"pccs_url":"https://user:geheim@pccs.example/v4/?token=geheim"}');
    process.env.QCNL_CONF_PATH = path("qcnl.conf");
    try {
      for (const json of [[], ["--json"]]) {
        const { out, err } = confcom("collateral", "config", ...json);
        assert.match(out, /\/\/\*\*\*@pccs\.example\/v4\//);
        assert.doesNotMatch(out + err, /geheim/);
      }
    } finally {
      delete process.env.QCNL_CONF_PATH;
    }
  });

  it("a file that is no JSON: 78", () => {
    writeFileSync(path("qcnl.conf"), "{");
    process.env.QCNL_CONF_PATH = path("qcnl.conf");
    try {
      const { status, err } = confcom("collateral", "config");
      assert.equal(status, 78);
      assert.match(err, /CONFIGURATION: .*qcnl\.conf begins with \{ but is no JSON/);
    } finally {
      delete process.env.QCNL_CONF_PATH;
    }
  });
});

describe("getting what a quote needs", () => {
  const root = () => ["--trust-root", path("root.pem")];
  const sources = () => ["--source", path("tree"), "--trust-root", path("root.pem"), "--cache", path("cache")];

  it("verify without --collateral gets it from a directory, and then offline from the cache", () => {
    const first = confcom("verify", path("software.bin"), ...sources());
    assert.equal(first.status, 0, first.err);
    assert.equal(first.lines[0], "VERIFIED OK: The quote is genuine and the platform up to date.");
    assert.equal(statSync(path("cache")).mode & 0o777, 0o700);
    const args = [
      "verify",
      path("software.bin"),
      "--trust-root",
      path("root.pem"),
      "--cache",
      path("cache"),
      "--offline",
    ];
    const offline = confcom(...args);
    assert.equal(offline.status, 0, offline.err);
  });

  it("fetch saves the nine fields, with which verify needs nothing else", () => {
    const saved = confcom(
      "collateral",
      "fetch",
      path("software.bin"),
      "--out",
      path("saved.json"),
      ...sources(),
      "--json",
    );
    assert.equal(saved.status, 0, saved.err);
    assert.equal((JSON.parse(saved.out) as { parts: unknown[] }).parts.length, 4);
    assert.deepEqual(
      JSON.parse(readFileSync(path("saved.json"), "utf8")),
      JSON.parse(readFileSync(path("collateral.json"), "utf8")),
    );
    const args = ["--collateral", path("saved.json"), "--trust-root", path("root.pem")];
    assert.equal(confcom("verify", path("software.bin"), ...args).status, 0);
  });

  it("the next source is asked where one has nothing, and a failure names each of them", async () => {
    const args = ["--pccs-url", url, "--trust-root", path("root.pem"), "--cache", "none"];
    const both = await confcomLater("verify", path("software.bin"), ...args, "--source", path("tree"));
    assert.equal(both.status, 0, both.err);
    assert.ok(asked > 0);
    const alone = await confcomLater("verify", path("software.bin"), ...args);
    assert.equal(alone.status, 76);
    assert.match(alone.err, /error NOT_FOUND: .* cannot be had: .*127\.0\.0\.1.*404/);
    assert.match(alone.err, / {2}next {3}/);
  });

  it("nobody there: 69; nothing in the cache: 76", () => {
    const down = confcom(
      "verify",
      path("software.bin"),
      "--source",
      "http://127.0.0.1:9/",
      "--cache",
      "none",
      "--deadline",
      "2s",
      ...root(),
    );
    assert.equal(down.status, 69, down.err);
    assert.equal(down.err.match(/the connection was refused/g)?.length, 1, down.err);
    // Why, once, and nothing about what was given up because of it.
    assert.match(down.err, /error SOURCE_UNREACHABLE: .*the connection was refused\n/);
    assert.doesNotMatch(down.err, /left alone|share of the time/);
    const empty = confcom("verify", path("software.bin"), "--offline", "--cache", path("empty-cache"), ...root());
    assert.equal(empty.status, 76);
    assert.match(empty.err, /not in the cache/);
  });

  it("of a quote under a root that is not trusted nobody is told: not verified (2)", async () => {
    const before = asked;
    const args = ["--pccs-url", url, "--cache", "none"];
    const commands = [["verify"], ["collateral", "fetch", "--out", path("nothing.json")]];
    const ran = commands.map((command) => confcomLater(...command, path("software.bin"), ...args));
    for (const { status, err } of await Promise.all(ran)) {
      assert.equal(status, 2);
      assert.match(err, /CLI_ROOT_UNTRUSTED: .*Confcom Software SGX Root CA.* not among the trusted roots/);
      assert.match(err, /next .*--trust-root .*--state/);
    }
    assert.equal(asked, before);
  });

  it("what is no quote is not verified (2), and nobody is asked", () => {
    writeFileSync(path("garbage"), Buffer.alloc(2000, 1));
    const { status, err } = confcom("verify", path("garbage"), ...sources());
    assert.equal(status, 2);
    assert.match(err, /no collateral was asked for/);
  });

  it("--collateral together with where to get it: 64", () => {
    const { status } = confcom("verify", path("software.bin"), "--collateral", path("collateral.json"), "--offline");
    assert.equal(status, 64);
  });

  it("refuses a directory that --source names and that is not there at once: 65, nothing is asked", () => {
    const ran = confcom("verify", path("software.bin"), ...root(), "--source", path("nowhere"));
    assert.equal(ran.status, 65);
    assert.match(ran.err, /CLI_INPUT_UNREADABLE.*nowhere/);
  });
});
