import assert from "node:assert/strict";
import { Agent, request as httpsRequest } from "node:https";
import { test } from "node:test";
import type { TLSSocket } from "node:tls";
import { ManualClock } from "../../testing/manual-clock.ts";
import { testTls } from "../../testing/test-tls.ts";
import { metricsText } from "./metrics.ts";
import { startPccsServer } from "./pccs-server.ts";
import { ADMIN_TOKEN, serve, V4 } from "./testing/served.ts";
import { ServiceDouble } from "./testing/service-double.ts";

const QE = `${V4}/qe/identity`;
const base = () => ({
  service: new ServiceDouble(),
  tokens: { user: [], admin: [] },
  clock: new ManualClock(),
  random: () => 0,
});

test("plain HTTP is served on loopback only, and only when asked for", async () => {
  const refused = { code: "SERVICE_CONFIGURATION" };
  await assert.rejects(startPccsServer({ ...base(), listen: { host: "127.0.0.1", port: 0 } }), refused);
  for (const host of ["0.0.0.0", "::", "192.0.2.1", "example.org", "127.0.0.1.example.org"]) {
    await assert.rejects(startPccsServer({ ...base(), listen: { host, port: 0 }, plainHttp: true }), refused);
  }
});

test("a port that is taken, a bad limit, a bad token and a bad certificate are SERVICE_CONFIGURATION, and nothing stays", async (t) => {
  const { server } = await serve(t);
  for (const change of [
    { listen: server.address },
    { limits: { maxUrl: 0 } },
    { limits: { maxUrl: Number.NaN } },
    { tokens: { user: ["secret"], admin: [] } },
    { tls: { certificate: "x", key: "y" } },
  ]) {
    const options = { ...base(), listen: { host: "127.0.0.1", port: 0 }, plainHttp: true, ...change };
    await assert.rejects(startPccsServer(options), (error: Error & { code?: string }) => {
      assert.equal(error.code, "SERVICE_CONFIGURATION");
      assert.doesNotMatch(error.message, /secret/);
      return true;
    });
    assert.equal(options.service.listeners, 0);
  }
});

test("drained: what is under way ends with Connection: close, and nobody new is let in", async (t) => {
  const { server, service, ask, clock } = await serve(t);
  let finish = () => {};
  const reached = new Promise<void>((began) => {
    service.onCall = () => {
      began();
      return new Promise<void>((resolve) => {
        finish = resolve;
      });
    };
  });
  const last = ask("POST", `${V4}/refresh`, { "admin-token": ADMIN_TOKEN });
  await reached;
  const closed = server.close({ deadlineMs: 10_000 });
  await assert.rejects(ask("GET", QE), { code: "ECONNREFUSED" });
  finish();
  const { status, headers } = await last;
  assert.deepEqual([status, headers.connection], [200, "close"]);
  await closed;
  assert.equal(service.listeners, 0);
  assert.equal(clock.waiting, 0);
});

test("what is not done at the deadline of the drain is cut", async (t) => {
  const { server, service, ask, clock } = await serve(t);
  const reached = new Promise<void>((began) => {
    service.onCall = () => {
      began();
      return new Promise(() => {});
    };
  });
  const last = assert.rejects(ask("POST", `${V4}/refresh`, { "admin-token": ADMIN_TOKEN }), { code: "ECONNRESET" });
  await reached;
  const closed = server.close({ deadlineMs: 10_000 });
  clock.advance(10_000);
  await Promise.all([closed, last]);
});

test("metrics: answers by endpoint and status, hits, a histogram, limits; nothing that a client sent is a label", async (t) => {
  const { server, ask } = await serve(t);
  await ask("GET", QE);
  await ask("GET", QE);
  await ask("GET", "/made-up-path");
  await ask("POST", `${V4}/refresh`);
  const text = await metricsText(server.metrics());
  for (const line of [
    'confcom_pccs_http_requests_total{endpoint="qe/identity",status="200"} 2',
    'confcom_pccs_http_requests_total{endpoint="unknown",status="404"} 1',
    'confcom_pccs_http_requests_total{endpoint="refresh",status="401"} 1',
    'confcom_pccs_response_cache_hits_total{endpoint="qe/identity"} 1',
    'confcom_pccs_http_request_duration_seconds_bucket{endpoint="qe/identity",le="0.001"} 1',
    'confcom_pccs_http_request_duration_seconds_count{endpoint="qe/identity"} 1',
    "confcom_pccs_tokens_refused_total 1",
    "confcom_pccs_response_cache_entries 1",
  ]) {
    assert.ok(text.includes(`${line}\n`), line);
  }
  assert.match(text, /# TYPE confcom_pccs_http_request_duration_seconds histogram/);
  assert.doesNotMatch(text, /made-up/);
});

test("over TLS, with a certificate that is replaced without a connection lost", async (t) => {
  const [first, second] = [testTls("first"), testTls("second")];
  const { server } = await serve(t, { tls: first, plainHttp: false });
  const { host, port } = server.address;
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: [first.ca] });
  t.after(() => agent.destroy());
  const get = (ca: string, agent: Agent | false) =>
    new Promise<{ status: number | undefined; certificate: string | undefined }>((resolve, reject) => {
      httpsRequest({ host, port, path: QE, ca: [ca], agent }, (response) => {
        const certificate = (response.socket as TLSSocket).getPeerX509Certificate()?.toString();
        response.resume().on("end", () => resolve({ status: response.statusCode, certificate }));
      })
        .on("error", reject)
        .end();
    });
  const before = await get(first.ca, agent);
  assert.equal(before.status, 200);
  server.reloadTls(second);
  assert.deepEqual(await get(first.ca, agent), before);
  const after = await get(second.ca, false);
  assert.equal(after.status, 200);
  assert.notEqual(after.certificate, before.certificate);
  assert.throws(() => server.reloadTls({ certificate: first.certificate, key: second.key }), {
    code: "SERVICE_CONFIGURATION",
  });
  assert.deepEqual(await get(second.ca, false), after);
});
