import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { ENDPOINTS, route } from "./endpoints.ts";
import { serve, V4 } from "./testing/served.ts";

test("a path that there is not is 404 with the page of the reference's framework", async (t) => {
  const { ask } = await serve(t);
  const { status, headers, text } = await ask("GET", "/sgx/certification/v4/nothing?x=1");
  assert.equal(status, 404);
  assert.equal(headers["content-type"], "text/html; charset=utf-8");
  assert.equal(headers["content-security-policy"], "default-src 'none'");
  assert.equal(headers["x-content-type-options"], "nosniff");
  assert.equal(
    text,
    '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>Error</title>\n</head>\n<body>\n' +
      "<pre>Cannot GET /sgx/certification/v4/nothing</pre>\n</body>\n</html>\n",
  );
});

test("a method that there is not is 404, and OPTIONS says which there are", async (t) => {
  const { ask, service } = await serve(t);
  for (const method of ["DELETE", "POST", "PUT", "PATCH"]) {
    const { status, text } = await ask(method, `${V4}/tcb`);
    assert.equal(status, 404);
    assert.match(text, new RegExp(`<pre>Cannot ${method} /sgx/certification/v4/tcb</pre>`));
  }
  const options = await ask("OPTIONS", `${V4}/tcb`);
  assert.deepEqual([options.status, options.text, options.headers.allow], [200, "GET,HEAD", "GET,HEAD"]);
  assert.equal((await ask("OPTIONS", `${V4}/nothing`)).status, 404);
  assert.deepEqual(service.asked, []);
});

test("platformcollateral and refresh ask for the token before the method", async (t) => {
  const { ask } = await serve(t);
  assert.equal((await ask("DELETE", `${V4}/refresh`)).status, 401);
  assert.equal((await ask("GET", `${V4}/platformcollateral`)).status, 401);
});

test("HEAD is GET without the body, but never of what changes something", async (t) => {
  const { ask, service } = await serve(t);
  const head = await ask("HEAD", `${V4}/tcb?fmspc=00606a000000`);
  const get = await ask("GET", `${V4}/tcb?fmspc=00606a000000`);
  assert.equal(head.status, 200);
  assert.equal(head.body.length, 0);
  assert.equal(head.headers["content-length"], get.headers["content-length"]);
  assert.equal((await ask("HEAD", `${V4}/platforms`)).status, 404);
  assert.deepEqual(service.asked, ["tcb-info/sgx/00606A000000/standard/v4"]);
});

test("If-None-Match with the ETag is 304", async (t) => {
  const { ask } = await serve(t);
  const { headers } = await ask("GET", `${V4}/tcb?fmspc=00606a000000`);
  const etag = String(headers.etag);
  assert.match(etag, /^W\/"[0-9a-f]+-[A-Za-z0-9+/]{27}"$/);
  const again = await ask("GET", `${V4}/tcb?fmspc=00606a000000`, { "if-none-match": `"x", ${etag}` });
  assert.deepEqual([again.status, again.body.length], [304, 0]);
  assert.equal((await ask("GET", `${V4}/tcb?fmspc=00606a000000`, { "if-none-match": '"x"' })).status, 200);
});

test("a version in the URL other than v3 and v4 is 500", () => {
  for (const path of ["/sgx/certification/v1/tcb", "/sgx/certification/v5/pckcert", "/sgx/certification/V4/tcb"]) {
    assert.equal(route(path).kind, "version", path);
  }
});

test("paths are any case, with one slash more; nothing in them is decoded", () => {
  for (const path of ["/SGX/Certification/v4/TCB", "/sgx/certification/v4/tcb/", "/sgx/certification/v4//tcb"]) {
    assert.equal(route(path).kind, "endpoint", path);
  }
  for (const path of [
    "",
    "/",
    "//",
    "/sgx//certification/v4/tcb",
    "/sgx/certification/v4",
    "/sgx/certification/v4/%74cb",
    "/sgx/certification/v4/x/../tcb",
    "/sgx/certification/v4/%2e%2e/v4/tcb",
    "/sgx/certification/v4/tcb%00",
    "/sgx/certification/v4/tcb\u0000",
    "/sgx/certification/v4/tcb//",
    "/tdx/certification/v3/tcb",
    "/tdx/certification/v4/pckcert",
    "/x/sgx/certification/v4/tcb",
  ]) {
    assert.equal(route(path).kind, "unknown", path);
  }
});

test("whatever the path is, it is routed or not, and an endpoint is reached by its own name alone", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 64 }), fc.boolean(), (text, under) => {
      const routed = route(under ? `${V4}/${text}` : text);
      if (routed.kind === "endpoint") assert.ok(text.toLowerCase().includes(routed.endpoint.name));
    }),
  );
});

test("the documentation's table of endpoints is the table in the code", () => {
  const text = readFileSync(new URL("../../../../../docs/pccs.md", import.meta.url), "utf8");
  for (const { name, tees, operations } of ENDPOINTS) {
    for (const { method, token, parameters, statuses } of operations) {
      const row = `| ${method} | /${name} | ${tees.join(", ")} | ${token ?? "–"} | ${parameters} | ${statuses.join(" ")} |`;
      assert.ok(text.includes(row), row);
    }
  }
});
