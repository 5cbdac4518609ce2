import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { afterEach, test } from "node:test";
import { FakeApiServer } from "../testing/fake-api-server/fake-api-server.ts";
import { ApiClient } from "./api-client.ts";
import { ApiError, apiErrorOf } from "./api-error.ts";

const fixture = (name: string) => readFileSync(new URL(`fixtures/${name}`, import.meta.url), "utf8");
const tls = { key: fixture("server-key.pem"), cert: fixture("server-certificate.pem") };
const NODE = "/api/v1/nodes/worker-1";

let api: FakeApiServer | undefined;
let client: ApiClient | undefined;

afterEach(async () => {
  client?.close();
  await api?.stop();
  api = undefined;
});

function connect(ca: () => string = () => "", timeoutMs = 5000): ApiClient {
  const credentials = async () => ({ token: "token", ca: ca() });
  client = new ApiClient({ server: (api as FakeApiServer).url, credentials, userAgent: "test", timeoutMs });
  return client;
}

const failsWith = (code: string, message: RegExp) => (error: unknown) =>
  error instanceof ApiError && error.code === code && message.test(error.message);

test("over TLS the server is known by the cluster's CA", async () => {
  api = await FakeApiServer.start({ tls });
  assert.equal(((await connect(() => tls.cert).get(NODE)) as { kind: string }).kind, "Node");
});

test("a server that another CA vouches for gets no token", async () => {
  api = await FakeApiServer.start({ tls });
  const another = fixture("another-authority.pem");
  await assert.rejects(
    connect(() => another).get(NODE),
    failsWith("API_SERVER_UNREACHABLE", /self-signed certificate/),
  );
  assert.deepEqual(api.requests, []);
});

test("a CA bundle that was replaced holds for the next request", async () => {
  api = await FakeApiServer.start({ tls });
  let ca = fixture("another-authority.pem");
  const client = connect(() => ca);
  await assert.rejects(client.get(NODE));
  ca = tls.cert;
  await client.get(NODE);
  ca = fixture("another-authority.pem");
  await assert.rejects(client.get(NODE));
});

test("an answer that does not come is given up", async () => {
  api = await FakeApiServer.start();
  api.behaviour.hang = true;
  await assert.rejects(connect(undefined, 50).get(NODE), failsWith("API_SERVER_UNREACHABLE", /no answer within 50 ms/));
});

test("an answer that never ends is cut off", async () => {
  api = await FakeApiServer.start();
  api.behaviour.answer = () => ({ status: 200, body: "x".repeat((8 << 20) + 1) });
  await assert.rejects(connect().get(NODE), failsWith("API_SERVER_UNREACHABLE", /larger than 8388608 bytes/));
});

test("what the server says about a refusal is in the message, bounded", () => {
  const error = apiErrorOf(422, "PATCH x", { message: "y".repeat(5000) }, undefined);
  assert.equal(error.code, "API_SERVER_REFUSED");
  assert.ok(error.message.length < 1200);
  assert.match(apiErrorOf(409, "POST x", ["no object"], undefined).message, /POST x: the API server answered 409$/);
});

test("Retry-After is seconds, and at most five minutes", () => {
  const wait = (header: string | undefined) => apiErrorOf(429, "GET x", undefined, header).retryAfterMs;
  assert.deepEqual(["1", "0", "999999", "soon", "-1", undefined].map(wait), [
    1000,
    0,
    300_000,
    undefined,
    undefined,
    undefined,
  ]);
});
