import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { CollateralError } from "../errors.ts";
import { parseCommentedJson } from "./commented-json.ts";
import { parseQcnlConf, QCNL_CONF_LIMIT } from "./qcnl-conf.ts";

function read(text: string) {
  const warnings: string[] = [];
  const conf = parseQcnlConf(new TextEncoder().encode(text), "/etc/q.conf", (warning) => warnings.push(warning));
  return { conf, warnings };
}

const refused = (text: string) =>
  assert.throws(
    () => read(text),
    (error) =>
      error instanceof CollateralError && error.code === "CONFIGURATION" && /\/etc\/q\.conf/.test(error.message),
  );

describe("qcnl.conf in JSON", () => {
  it("every key, with comments of both kinds between tokens and none inside texts", () => {
    const { conf, warnings } = read(`{
      // "pccs_url": "https://commented.out/",
      "pccs_url": "https://pccs.example/sgx/certification/v4/", /* block
      over lines */ "use_secure_cert": false,
      "collateral_service": "https://api.trustedservices.intel.com/sgx/certification/v4/",
      "tcb_update_type": "early", "pccs_api_version": "3.1",
      "retry_times": 6, "retry_delay": 10,
      "local_pck_url": "http://169.254.169.254/metadata/THIM/sgx/certification/v4/",
      "pck_cache_expire_hours": 48.5, "verify_collateral_cache_expire_hours": 5000,
      "custom_request_options": { "get_cert": { "headers": { "metadata": "true" }, "params": { "api-version": "2021-07-22-preview" } } },
      "local_cache_only": true // the last one
    }`);
    assert.deepEqual(warnings, []);
    assert.deepEqual(conf, {
      format: "json",
      pccs_url: "https://pccs.example/sgx/certification/v4/",
      use_secure_cert: false,
      collateral_service: "https://api.trustedservices.intel.com/sgx/certification/v4/",
      tcb_update_type: "early",
      pccs_api_version: "3.1",
      retry_times: 6,
      retry_delay: 10,
      local_pck_url: "http://169.254.169.254/metadata/THIM/sgx/certification/v4/",
      pck_cache_expire_hours: 48.5,
      verify_collateral_cache_expire_hours: 2160,
      custom_request_options: { headers: { metadata: "true" }, params: { "api-version": "2021-07-22-preview" } },
      local_cache_only: true,
    });
  });

  it("a value of the wrong type is ignored with a warning, the others hold", () => {
    for (const [key, value] of Object.entries({
      pccs_url: "8081",
      use_secure_cert: '"false"',
      collateral_service: '"not a url"',
      tcb_update_type: '"late"',
      pccs_api_version: "3.1",
      retry_times: '"6"',
      retry_delay: "1.5",
      local_pck_url: "null",
      pck_cache_expire_hours: '"48"',
      verify_collateral_cache_expire_hours: "-1",
      custom_request_options: '{"get_cert":{"headers":{"a\\r\\nb":"x"}}}',
      local_cache_only: "1",
    })) {
      const { conf, warnings } = read(`{"${key}": ${value}, "retry_${key === "retry_times" ? "delay" : "times"}": 3}`);
      assert.equal(Object.hasOwn(conf, key), false, key);
      assert.equal(warnings.length, 1, key);
      assert.match(warnings[0] as string, new RegExp(`${key} is not .*ignored`));
      assert.equal(conf.retry_times ?? conf.retry_delay, 3);
    }
  });

  it("a base URL gets its last slash; an unknown key is said", () => {
    const { conf, warnings } = read('{"pccs_url":"https://a/v4","__proto__":1,"PCCS_URL":"x"}');
    assert.equal(conf.pccs_url, "https://a/v4/");
    assert.equal(warnings.length, 2);
  });

  it("of a key that is given twice the first one counts, as in RapidJSON, and the other one is said", () => {
    const { conf, warnings } = read(
      '{"retry_times": 1, "pccs_url": "https://a/", "retry_times": 2, "custom_request_options": ' +
        '{"get_cert": {"headers": {"x": "1", "x": "2"}, "params": {}}}, "pccs_url": 5}',
    );
    assert.equal(conf.retry_times, 1);
    assert.equal(conf.pccs_url, "https://a/");
    assert.deepEqual(conf.custom_request_options?.headers, { x: "1" });
    assert.equal(warnings.filter((text) => text.includes("is given again: the first one counts")).length, 3);
    assert.equal(warnings.length, 3);
  });

  it("any JSON whose keys are each given once is read as JSON.parse reads it", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        assert.deepEqual(parseCommentedJson(`/* a */${text}// b`), JSON.parse(text));
      }),
    );
  });

  it("broken JSON, a comment without end and a file that is too large are refused", () => {
    refused("{");
    refused('{"pccs_url": "https://a/" /* }');
    refused('{"a": "b}');
    refused(`{"a": ${"[".repeat(30_000)}${"]".repeat(30_000)}}`);
    refused(`{${" ".repeat(QCNL_CONF_LIMIT)}}`);
  });
});

describe("qcnl.conf in the legacy form", () => {
  it("every key; blanks do not count; comments and other lines are passed over", () => {
    const { conf, warnings } = read(
      [
        "# PCCS server address",
        "PCCS_URL = https://pccs.example:8081/sgx/certification/v3/",
        "USE_SECURE_CERT=FALSE\r",
        "COLLATERAL_SERVICE=https://c.example/sgx/certification/v4/",
        "PCCS_API_VERSION=3.1",
        "RETRY_TIMES=6",
        "RETRY_DELAY=10",
        "LOCAL_PCK_URL=http://127.0.0.1/",
        "PCK_CACHE_EXPIRE_HOURS=48",
        "VERIFY_COLLATERAL_CACHE_EXPIRE_HOURS=9999",
        "LOCAL_CACHE_ONLY=true",
        "",
        "pccs_url=https://lower.case/",
        "nonsense",
      ].join("\n"),
    );
    assert.deepEqual(conf, {
      format: "legacy",
      pccs_url: "https://pccs.example:8081/sgx/certification/v3/",
      use_secure_cert: false,
      collateral_service: "https://c.example/sgx/certification/v4/",
      pccs_api_version: "3.1",
      retry_times: 6,
      retry_delay: 10,
      local_pck_url: "http://127.0.0.1/",
      pck_cache_expire_hours: 48,
      verify_collateral_cache_expire_hours: 2160,
      local_cache_only: true,
    });
    assert.equal(warnings.length, 2);
  });

  it("an empty file is one", () => assert.deepEqual(read("").conf, { format: "legacy" }));
});

it("any bytes give a configuration or CONFIGURATION", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        fc.json().map((json) => `{"custom_request_options":${json}}`),
      ),
      (text) => {
        try {
          read(text);
        } catch (error) {
          assert.ok(error instanceof CollateralError && error.code === "CONFIGURATION", String(error));
        }
      },
    ),
  );
});
