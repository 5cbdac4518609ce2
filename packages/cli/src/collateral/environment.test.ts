import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { confcom, scratch } from "../verify/testing/confcom.ts";

// What the environment decides: proxies, Azure's variables, what is printed.

const path = scratch();
const MAIN = fileURLToPath(new URL("../main.ts", import.meta.url));
const REAL = fileURLToPath(new URL("../../../verify/src/fixtures/real/quotes/", import.meta.url));
const SGX_QUOTE = `${REAL}sgx_v3_f8b81014b6e4.bin`;

function withEnvironment(more: Readonly<Record<string, string>>, ...args: readonly string[]) {
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    NO_COLOR: "1",
    HOME: path("home"),
    QCNL_CONF_PATH: path("none"),
    ...more,
  };
  for (const name of ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"]) {
    if (!Object.hasOwn(more, name)) delete env[name];
  }
  const child = spawn(process.execPath, [MAIN, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
  let out = "";
  let err = "";
  child.stdout.on("data", (chunk) => {
    out += chunk;
  });
  child.stderr.on("data", (chunk) => {
    err += chunk;
  });
  return new Promise<{ status: number | null; out: string; err: string }>((resolve) =>
    child.once("close", (status) => resolve({ status, out, err })),
  );
}

/** Answers 404 to everything, and remembers what it was asked for. */
const asked: string[] = [];
const server: Server = createServer((request, reply) => {
  asked.push(request.url ?? "");
  reply.writeHead(404).end();
});
let url = "";

before(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => server.close());

describe("a proxy", () => {
  const fetched = (env: Readonly<Record<string, string>>, source: string) =>
    withEnvironment(
      env,
      "collateral",
      "fetch",
      SGX_QUOTE,
      "--out",
      path("out.json"),
      "--source",
      source,
      "--cache",
      "none",
    );

  it("of the environment is used, except for hosts that it excepts", async () => {
    asked.length = 0;
    const through = await fetched({ http_proxy: url }, "http://pccs.invalid/sgx/certification/v4/");
    assert.equal(through.status, 76, through.err);
    assert.ok(
      asked.some((target) => target.startsWith("http://pccs.invalid/sgx/certification/v4/")),
      asked.join("\n"),
    );
    asked.length = 0;
    const excepted = await fetched(
      { http_proxy: url, no_proxy: "pccs.invalid" },
      "http://pccs.invalid/sgx/certification/v4/",
    );
    assert.notEqual(excepted.status, 0);
    assert.deepEqual(asked, []);
  });
});

describe("AZDCAP_DEBUG_LOG_LEVEL", () => {
  const run = (level: string) =>
    withEnvironment(
      { AZDCAP_DEBUG_LOG_LEVEL: level },
      // Of two sources the error names the last word of each; what one alone says is not said twice.
      ...["collateral", "fetch", SGX_QUOTE, "--out", path("out.json"), "--cache", "none"],
      ...["--source", `pccs+${url}/v4/`, "--source", `pccs+${url}/other/v4/`],
    );

  it("INFO says what is asked; ERROR says failures alone", async () => {
    const [info, error] = await Promise.all([run("INFO"), run("ERROR")]);
    assert.match(info.err, /^info: .* is not in the cache/m);
    assert.match(info.err, /^warning: .*404/m);
    assert.doesNotMatch(error.err, /^info:/m);
    assert.match(error.err, /^warning: .*404/m);
  });
});

describe("confcom collateral config", () => {
  const conf = {
    pccs_url: "https://pccs.example/sgx/certification/v4/",
    use_secure_cert: false,
    collateral_service: "https://api.trustedservices.intel.com/sgx/certification/v4/",
    tcb_update_type: "early",
    pccs_api_version: "3.1",
    retry_times: 6,
    retry_delay: 5,
    local_pck_url: "http://169.254.169.254/metadata/THIM/sgx/certification/v4/",
    pck_cache_expire_hours: 48,
    verify_collateral_cache_expire_hours: 24,
    custom_request_options: { get_cert: { headers: { authorization: "geheim" }, params: { token: "geheim" } } },
    local_cache_only: true,
  };
  const variables = {
    AZDCAP_BASE_CERT_URL: "https://base.example/c",
    AZDCAP_BASE_CERT_URL_TDX: ".tdx.example/c",
    AZDCAP_REGION_URL: "westeurope",
    AZDCAP_BYPASS_BASE_URL: "true",
    AZDCAP_PRIMARY_BASE_CERT_URL: "https://first.example/c",
    AZDCAP_SECONDARY_BASE_CERT_URL: "https://second.example/c",
    AZDCAP_CLIENT_ID: "me",
    AZDCAP_COLLATERAL_VERSION: "v3",
    AZDCAP_COLLATERAL_VERSION_TDX: "v4",
    AZDCAP_DEBUG_LOG_LEVEL: "WARNING",
    AZDCAP_DISABLE_ONDEMAND: "1",
    AZDCAP_CACHE_EXPIRY_IN_SECONDS: "60",
    AZDCAP_WRITE_LOGS_TO_FILE: "/var/log/az",
    AZDCAP_CACHE: "/var/cache/az",
  };

  it("shows every key of qcnl.conf and every AZDCAP variable with its origin, and no secret", async () => {
    writeFileSync(path("qcnl.conf"), JSON.stringify(conf));
    const env = {
      ...variables,
      QCNL_CONF_PATH: path("qcnl.conf"),
      HTTPS_PROXY: "http://user:geheim@proxy.example:3128",
    };
    const json = await withEnvironment(env, "collateral", "config", "--json");
    assert.equal(json.status, 0, json.err);
    const { settings, warnings } = JSON.parse(json.out) as {
      settings: { name: string; value: unknown; from: string }[];
      warnings: string[];
    };
    assert.deepEqual(warnings, []);
    const origin = (name: string) => settings.filter((of) => of.name === name).map(({ from }) => from);
    for (const key of Object.keys(conf)) assert.deepEqual(origin(key), [`${path("qcnl.conf")}: ${key}`]);
    for (const name of Object.keys(variables)) assert.deepEqual(origin(name), [name]);
    assert.equal(settings.find(({ name }) => name === "https proxy")?.value, "http://***@proxy.example:3128");
    const people = await withEnvironment(env, "collateral", "config");
    assert.equal(people.out.trimEnd().split("\n").length, settings.length);
    assert.doesNotMatch(json.out + people.out + json.err + people.err, /geheim/);
  });

  it("--json keeps its names: scripts go by them", () => {
    const { settings } = JSON.parse(confcom("collateral", "config", "--json", "--source", "/srv/c").out) as {
      settings: { name: string }[];
    };
    const names = settings.map(({ name }) => name).filter((name) => !/^AZDCAP_|^[a-z]+_[a-z_]+$/.test(name));
    assert.deepEqual(names, [
      "source 1",
      "update",
      "api version",
      "pccs api version",
      "retry times",
      "retry delay",
      "pck cache",
      "collateral cache",
      "cache directory",
      "stale limit",
      "deadline",
      "offline",
      "pck from cache only",
      "tls ca",
      "api key file",
      "log level",
      "azure log file",
      "https proxy",
      "http proxy",
      "no proxy",
      "qcnl.conf",
    ]);
  });
});
