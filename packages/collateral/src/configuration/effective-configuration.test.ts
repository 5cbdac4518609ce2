import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CollateralError } from "../errors.ts";
import { type ConfigurationFlags, effectiveConfiguration } from "./effective-configuration.ts";
import { httpProxies, isLinkLocal } from "./proxy-variables.ts";
import { originText } from "./setting.ts";

const SHIPPED_PATH = "/etc/sgx_default_qcnl.conf";

function effective(
  flags: ConfigurationFlags = {},
  env: Readonly<Record<string, string>> = {},
  files: Readonly<Record<string, string>> = {},
) {
  const readFile = (path: string) => {
    const text = files[path];
    return text === undefined ? undefined : new TextEncoder().encode(text);
  };
  return effectiveConfiguration({ flags, env, readFile });
}

const asked = (configuration: ReturnType<typeof effective>) =>
  configuration.sources.map(({ value, from }) => [value.kind, value.place, value.serves, originText(from)]);

describe("the effective configuration", () => {
  it("of nothing: Intel's PCS, a week in memory, 20 s", () => {
    const found = effective();
    assert.deepEqual(asked(found), [
      ["pcs", "https://api.trustedservices.intel.com/sgx/certification/v4/", "all", "default"],
    ]);
    assert.equal(found.collateralCacheMs.value, 168 * 3_600_000);
    assert.equal(found.cacheDirectory.value, undefined);
    assert.equal(found.deadlineMs.value, 20_000);
    assert.equal(found.staleLimitMs.value, 7 * 86_400_000);
    assert.deepEqual(found.warnings, []);
  });

  it("of Azure's shipped file: local agent for PCK certificates, then the cache, Intel for the rest", () => {
    const file = JSON.stringify({
      pccs_url: "https://global.acccache.azure.net/sgx/certification/v4/",
      use_secure_cert: true,
      collateral_service: "https://api.trustedservices.intel.com/sgx/certification/v4/",
      pccs_api_version: "3.1",
      retry_times: 6,
      retry_delay: 5,
      local_pck_url: "http://169.254.169.254/metadata/THIM/sgx/certification/v4/",
      pck_cache_expire_hours: 48,
      verify_collateral_cache_expire_hours: 48,
      custom_request_options: {
        get_cert: { headers: { metadata: "true" }, params: { "api-version": "2021-07-22-preview" } },
      },
    });
    const found = effective({}, {}, { [SHIPPED_PATH]: file });
    assert.deepEqual(asked(found), [
      ["pccs", "http://169.254.169.254/metadata/THIM/sgx/certification/v4/", "pck", `${SHIPPED_PATH}: local_pck_url`],
      ["pccs", "https://global.acccache.azure.net/sgx/certification/v4/", "pck", `${SHIPPED_PATH}: pccs_url`],
      [
        "pcs",
        "https://api.trustedservices.intel.com/sgx/certification/v4/",
        "collateral",
        `${SHIPPED_PATH}: collateral_service`,
      ],
    ]);
    assert.deepEqual(
      found.sources.map(({ value }) => [value.cached, value.custom?.headers.metadata]),
      [
        [false, "true"],
        [true, "true"],
        [true, undefined],
      ],
    );
    assert.equal(found.retryDelayMs.value, 5000);
    assert.equal(originText(found.pckCacheMs.from), `${SHIPPED_PATH}: pck_cache_expire_hours`);
  });

  it("a file that names nothing means QCNL's own default", () => {
    assert.deepEqual(asked(effective({}, {}, { [SHIPPED_PATH]: "{}" })), [
      ["pccs", "https://localhost:8081/sgx/certification/v4/", "all", "default"],
    ]);
  });

  it("QCNL_CONF_PATH names another file; one that is not there is said", () => {
    const found = effective({}, { QCNL_CONF_PATH: "/q" }, { "/q": "PCCS_URL=https://p/v3/\nUSE_SECURE_CERT=false" });
    assert.deepEqual(asked(found), [["pccs", "https://p/v3/", "all", "/q: pccs_url"]]);
    assert.equal(found.sources[0]?.value.secure, false);
    assert.equal(found.apiVersion.value, 3);
    assert.match(effective({}, { QCNL_CONF_PATH: "/gone" }).warnings.join(), /\/gone, which is not there/);
  });

  it("every AZDCAP variable", () => {
    const found = effective(
      {},
      {
        AZDCAP_BASE_CERT_URL: "https://base.example/sgx/certification/",
        AZDCAP_BASE_CERT_URL_TDX: ".tdx.example/sgx/certification",
        AZDCAP_REGION_URL: "WestEurope",
        AZDCAP_BYPASS_BASE_URL: "false",
        AZDCAP_PRIMARY_BASE_CERT_URL: "http://127.0.0.1:1/p",
        AZDCAP_SECONDARY_BASE_CERT_URL: "https://second.example/s",
        AZDCAP_CLIENT_ID: "me",
        AZDCAP_COLLATERAL_VERSION: "v3",
        AZDCAP_COLLATERAL_VERSION_TDX: "v4",
        AZDCAP_DEBUG_LOG_LEVEL: "INFO",
        AZDCAP_DISABLE_ONDEMAND: "1",
        AZDCAP_CACHE_EXPIRY_IN_SECONDS: "3600",
        AZDCAP_WRITE_LOGS_TO_FILE: "/var/log/az",
        AZDCAP_CACHE: "/var/cache/az",
        XDG_CACHE_HOME: "/xdg",
      },
    );
    assert.deepEqual(asked(found), [
      ["thim", "http://127.0.0.1:1/p/", "pck", "AZDCAP_PRIMARY_BASE_CERT_URL"],
      ["thim", "https://second.example/s/", "pck", "AZDCAP_SECONDARY_BASE_CERT_URL"],
      ["thim", "https://base.example/sgx/certification/", "collateral", "AZDCAP_BASE_CERT_URL"],
    ]);
    assert.deepEqual(found.sources[0]?.value.azure, {
      clientId: "me",
      version: "v3",
      tdxVersion: "v4",
      tdxUrl: "https://westeurope.tdx.example/sgx/certification/",
      tdxSuffix: ".tdx.example/sgx/certification",
      onDemand: false,
    });
    assert.deepEqual([found.logLevel.value, found.azureLogFile.value], ["INFO", "/var/log/az"]);
    assert.equal(found.pckCacheMs.value, 3_600_000);
    assert.equal(found.cacheDirectory.value, "/var/cache/az/confcom-collateral");
    assert.equal(found.apiVersion.value, 3);
    assert.deepEqual(found.warnings, []);
  });

  it("a service that is named without a path, as its ready line and the quote helper name it, is asked at the API's", () => {
    const found = effective({ pccsUrl: "http://127.0.0.1:8081", source: ["pcs+https://h:1/", "thim+http://h/"] });
    assert.deepEqual(
      found.sources.map(({ value }) => value.place),
      ["http://127.0.0.1:8081/sgx/certification/v4/", "https://h:1/sgx/certification/v4/", "http://h/"],
    );
  });

  it("variables come before the file, the command line instead of both", () => {
    const env = { AZDCAP_BYPASS_BASE_URL: "true" };
    const files = { [SHIPPED_PATH]: '{"pccs_url":"https://p/"}' };
    assert.deepEqual(
      asked(effective({}, env, files)).map(([kind]) => kind),
      ["thim", "thim", "pccs"],
    );
    const flags = { pccsUrl: "https://q/sgx/certification/v4", source: ["/dir", "thim+http://127.0.0.1:2/x"] };
    assert.deepEqual(asked(effective(flags, env, files)), [
      ["pccs", "https://q/sgx/certification/v4/", "all", "--pccs-url"],
      ["directory", "/dir", "all", "--source"],
      ["thim", "http://127.0.0.1:2/x/", "all", "--source"],
    ]);
  });

  it("variables that cannot be used are ignored and said, without what they said", () => {
    const { warnings, cacheDirectory } = effective(
      {},
      {
        AZDCAP_BASE_CERT_URL: "https:secret",
        AZDCAP_CACHE_EXPIRY_IN_SECONDS: "86401",
        AZDCAP_CACHE: "relative",
        HOME: "/h",
      },
    );
    assert.equal(warnings.length, 2);
    assert.equal(cacheDirectory.value, "/h/.cache/confcom/collateral");
  });

  it("what the command line says wrongly is CONFIGURATION, and repeats no password", () => {
    for (const flags of [
      { source: ["ftp://host/"] },
      { source: ["https://user:geheim@host/"] },
      { source: ["https://host/?token=geheim"] },
      { source: [""] },
      { pccsUrl: "/path" },
      { staleLimit: "7" },
      { deadline: "11m" },
      { source: Array.from({ length: 17 }, () => "/d") },
    ]) {
      assert.throws(
        () => effective(flags),
        (error) =>
          error instanceof CollateralError && error.code === "CONFIGURATION" && !error.message.includes("geheim"),
        JSON.stringify(flags),
      );
    }
  });

  it("offline: stale answers without limit unless one is named", () => {
    assert.equal(effective({ offline: true }).staleLimitMs.value, Number.POSITIVE_INFINITY);
    assert.equal(effective({ offline: true, staleLimit: "1d" }).staleLimitMs.value, 86_400_000);
    assert.equal(effective({ staleLimit: "0s" }).staleLimitMs.value, 0);
  });

  it("a file that cannot be read is CONFIGURATION", () => {
    const readFile = () => {
      throw new Error("EACCES");
    };
    assert.throws(() => effectiveConfiguration({ flags: {}, env: {}, readFile }), /qcnl\.conf cannot be read: EACCES/);
  });
});

it("local_cache_only: Intel's files come first, where its provider keeps them, but never in /tmp", () => {
  const files = { [SHIPPED_PATH]: '{"local_cache_only": true}' };
  const first = (env: Readonly<Record<string, string>>) => asked(effective({}, env, files))[0];
  assert.deepEqual(first({ HOME: "/home/me/" }), ["qcnl-files", "/home/me/.dcap-qcnl", "pck", "HOME"]);
  assert.deepEqual(first({ AZDCAP_CACHE: "/az", HOME: "/home/me" }), [
    "qcnl-files",
    "/az/.dcap-qcnl",
    "pck",
    "AZDCAP_CACHE",
  ]);
  assert.equal(first({})?.[0], "pccs");
  const off = asked(effective({}, { HOME: "/home/me" }, { [SHIPPED_PATH]: "{}" }));
  assert.deepEqual(
    off.map(([kind]) => kind),
    ["pccs"],
  );
});

describe("proxies", () => {
  it("come from the environment, lower-case names first; the metadata address is on the machine's own link", () => {
    const { proxies } = effective(
      {},
      { HTTPS_PROXY: "http://upper:1", https_proxy: "http://user:pw@lower:2", NO_PROXY: "pccs,.local", http_proxy: "" },
    );
    assert.deepEqual(httpProxies(proxies), { https: "http://user:pw@lower:2", except: "pccs,.local" });
    assert.equal(originText(proxies.https.from), "https_proxy");
    assert.equal(isLinkLocal("http://169.254.169.254/metadata/THIM/"), true);
    assert.equal(isLinkLocal("http://169.254.169.254.example/"), false);
  });

  it("that are no URL are ignored and said, without what may be a password", () => {
    const { proxies, warnings } = effective({}, { HTTP_PROXY: "socks5://user:geheim@p:1" });
    assert.deepEqual(httpProxies(proxies), {});
    assert.equal(warnings.length, 1);
    assert.doesNotMatch(warnings[0] as string, /geheim/);
  });
});
