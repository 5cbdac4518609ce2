import assert from "node:assert/strict";
import { test } from "node:test";
import { type TrustCommandOptions, trustOptions } from "./trust-options.ts";

const GIVEN: TrustCommandOptions = {
  state: "/state",
  upstream: "software",
  namespace: "kube-system",
  listen: "0.0.0.0:9106",
  tokenFile: "/token",
  caFile: "/ca",
  apiServer: "https://10.0.0.1:443",
  logLevel: "warn",
};

test("left out, the objects are those that the manifests name", () => {
  const { configMap, secret, apiServer, listen } = trustOptions(GIVEN);
  assert.deepEqual([configMap, secret], ["sgx-quote-root", "sgx-pccs-user-token"]);
  assert.deepEqual([apiServer.href, listen.port], ["https://10.0.0.1/", 9106]);
});

test("an upstream that is none, a root where the software platform has its own, and names that are paths are refused", () => {
  const refused = (more: Partial<TrustCommandOptions>, words: RegExp) =>
    assert.throws(() => trustOptions({ ...GIVEN, ...more }), { code: "CLI_USAGE", message: words });
  refused({ upstream: "elsewhere" }, /--upstream is intel, software or a URL/);
  refused({ upstreamRoot: "/a.pem" }, /has its own root/);
  refused({ configMap: "../secrets/x" }, /--config-map takes the name of an object/);
  refused({ namespace: "" }, /--namespace takes/);
  refused({ apiServer: "http://10.0.0.1" }, /which only an address of this machine may be/);
});
