import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import type { Clock } from "../clock.ts";
import { CollateralError } from "../errors.ts";
import { httpClient } from "../http/index.ts";
import { azTdxBase } from "./az-dcap-url.ts";
import { azureRegion } from "./azure-region.ts";

const clock: Clock = {
  now: () => Date.now(),
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
};

async function regionFrom(t: TestContext, answer: string, status = 200): Promise<string> {
  const server = createServer((request, response) => {
    const asked = request.url === "/metadata/instance?api-version=2021-02-01" && request.headers.metadata === "true";
    response.writeHead(asked ? status : 400, { "content-type": "application/json" }).end(answer);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const http = httpClient({ clock });
  t.after(() => {
    http.close();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/metadata/instance?api-version=2021-02-01`;
  return azureRegion(http, new AbortController().signal, url);
}

test("the region is what the instance metadata says, in lower case, and names the regional cache", async (t) => {
  const region = await regionFrom(t, '{"compute":{"location":"WestEurope","vmSize":"Standard_DC2s_v3"}}');
  assert.equal(region, "westeurope");
  const base = azTdxBase(region, ".thim.azure.net/sgx/certification");
  assert.equal(base, "https://westeurope.thim.azure.net/sgx/certification");
});

test("what could not be part of a host name is no region", async (t) => {
  const answers = ["{}", "[]", "x", '{"compute":null}', '{"compute":{"location":7}}', '{"compute":{"location":""}}'];
  for (const location of ["evil.example/#", "a b", "x".repeat(64), "a@b"]) {
    answers.push(JSON.stringify({ compute: { location } }));
  }
  for (const answer of answers) {
    await assert.rejects(regionFrom(t, answer), { name: "CollateralError", code: "SOURCE_ANSWER" }, answer);
  }
  await assert.rejects(regionFrom(t, "", 404), (error) => error instanceof CollateralError && error.status === 404);
});
