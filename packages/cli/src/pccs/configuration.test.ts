import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { DEFAULT_HTTP_LIMITS, DEFAULT_SERVICE_LIMITS } from "@confcom/collateral/service";
import { readPccsConfiguration } from "./configuration.ts";
import { pccsOptions } from "./pccs-options.ts";

function fileOf(t: TestContext, content: unknown): string {
  const directory = mkdtempSync(join(tmpdir(), "confcom-pccs-configuration-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, "pccs.json");
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

const WHOLE = {
  listen: "[::1]:9000",
  tlsCert: "/a/cert.pem",
  tlsKey: "/a/key.pem",
  http: false,
  state: "/a/state",
  database: "postgres://host/database",
  mode: "req",
  upstream: "https://pccs.example/sgx/certification/v4/",
  upstreamRoot: ["/a/root.pem"],
  upstreamCa: "/a/ca.pem",
  apiKeyFile: "/a/key",
  userTokenFile: "/a/user",
  adminTokenFile: "/a/admin",
  followFiles: true,
  staleLimit: 24,
  refreshInterval: 6,
  healthListen: ":9001",
  logLevel: "warn",
  crlHosts: ["crl.example", "http://127.0.0.1:80"],
  httpLimits: DEFAULT_HTTP_LIMITS,
  serviceLimits: DEFAULT_SERVICE_LIMITS,
};

test("every option and every limit can stand in the file", (t) => {
  const options = pccsOptions({ config: fileOf(t, WHOLE) });
  assert.deepEqual(options.listen, { host: "::1", port: 9000 });
  assert.equal(options.mode, "REQ");
  assert.equal(options.followFiles, true);
  assert.equal(options.staleLimitMs, 24 * 3_600_000);
  assert.equal(options.refreshIntervalMs, 6 * 3_600_000);
  assert.deepEqual(options.healthListen?.port, 9001);
  assert.deepEqual(options.httpLimits, DEFAULT_HTTP_LIMITS);
  assert.deepEqual(options.serviceLimits, DEFAULT_SERVICE_LIMITS);
  const { upstreamRoot, crlHosts, logLevel, userTokenFile } = options;
  assert.deepEqual(
    { upstreamRoot, crlHosts, logLevel, userTokenFile },
    {
      upstreamRoot: WHOLE.upstreamRoot,
      crlHosts: WHOLE.crlHosts,
      logLevel: "warn",
      userTokenFile: "/a/user",
    },
  );
});

test("the command line goes before the file, and the file before the defaults", (t) => {
  const config = fileOf(t, { state: "/file", mode: "req", staleLimit: 1, listen: ":1" });
  const options = pccsOptions({ config, state: "/line", staleLimit: "2" });
  assert.deepEqual([options.stateDirectory, options.mode, options.staleLimitMs], ["/line", "REQ", 7_200_000]);
  assert.deepEqual([options.listen.port, options.upstream, options.logLevel], [1, "intel", "info"]);
});

const REFUSED: readonly (readonly [string, unknown, RegExp])[] = [
  ["an unknown key", { stale_limit: 1 }, /unknown key "stale_limit"/],
  ["a member of all objects", '{"__proto__": 1}', /unknown key "__proto__"/],
  ["an unknown limit", { httpLimits: { maxHeaders: 1 } }, /unknown limit "httpLimits.maxHeaders"/],
  ["a limit that is a text", { serviceLimits: { missRate: "50" } }, /serviceLimits.missRate is a whole number from 1/],
  ["a limit of 0", { httpLimits: { maxUrl: 0 } }, /httpLimits.maxUrl is a whole number from 1/],
  ["a time that no timer waits", { serviceLimits: { answerMs: 2 ** 31 } }, /serviceLimits.answerMs/],
  ["limits that are a list", { httpLimits: [] }, /httpLimits is not an object/],
  ["a mode that is none", { mode: "LAZY" }, /mode is one of lazy, req, offline/],
  ["an interval beyond a timer's", { refreshInterval: 481 }, /refreshInterval is a whole number from 0 to 480/],
  ["a root that is no list", { upstreamRoot: "/a/root.pem" }, /upstreamRoot is a list of texts/],
  ["no object", "[]", /not a JSON object/],
  ["no JSON", "{", /configuration .*:/],
];

for (const [what, content, message] of REFUSED) {
  test(`a file with ${what} is refused, and the key named`, (t) => {
    assert.throws(() => readPccsConfiguration(fileOf(t, content)), { code: "CLI_CONFIGURATION", message });
  });
}
