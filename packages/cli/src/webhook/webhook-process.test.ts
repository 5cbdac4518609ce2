import assert from "node:assert/strict";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { afterEach, beforeEach, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { CallingApiServer, load, SECRET } from "./testing/calling-api-server.ts";
import { TOKEN, WebhookProcess, waitFor } from "./testing/webhook-process.ts";

// `confcom webhook` as the kubelet starts and stops it, and called as an API server calls it.

let server: CallingApiServer;
let processes: WebhookProcess[];

beforeEach(async () => {
  server = await CallingApiServer.start();
  processes = [];
});

afterEach(async () => {
  await Promise.all(processes.map((one) => one.kill()));
  await server.stop();
});

async function replica(...options: string[]): Promise<WebhookProcess> {
  const started = await WebhookProcess.start(server.api.url, options);
  processes.push(started);
  await started.untilReady();
  return started;
}

async function replicas(count: number, ...options: string[]): Promise<readonly WebhookProcess[]> {
  const started = await Promise.all(Array.from({ length: count }, () => replica(...options)));
  server.endpoints = started.map(({ port }) => port);
  return started;
}

/** Until every replica serves under another authority than `before`, and that is settled. */
async function rotated(among: readonly WebhookProcess[], before: string): Promise<void> {
  await waitFor("rotation", async () => {
    const states = await Promise.all(among.map((one) => one.status()));
    return states.every(
      ({ serving, authority }) =>
        serving?.authoritySerialNumber !== before &&
        serving?.authoritySerialNumber === authority.current?.serialNumber &&
        authority.next === null &&
        authority.previous.length === 0,
    );
  });
}

const authorityOf = async (one: WebhookProcess) => (await one.status()).serving?.authoritySerialNumber ?? "";

test("two replicas share one authority, and the API server's calls are answered with a patch", async () => {
  const [a, b] = (await replicas(2)) as [WebhookProcess, WebhookProcess];
  for (let call = 0; call < 20; call++) await server.admit();
  assert.equal(await authorityOf(a), await authorityOf(b));
  const { admissions, caBundle, problems } = await a.status();
  assert.deepEqual(admissions.results, [{ path: "/mutate/slot", result: "patched", count: 10 }]);
  assert.ok(typeof admissions.p99Ms === "number" && caBundle.inSync);
  assert.deepEqual(problems, []);
  const metrics = await (await b.get("/metrics")).text();
  assert.match(metrics, /confcom_webhook_admissions_total\{path="\/mutate\/slot",result="patched"\} 10/);
  assert.match(metrics, /confcom_webhook_ca_bundle_in_sync 1/);
});

test("two rotations and a death under load: every admission is answered, and no replica dropped a connection", async () => {
  const [a, b, doomed] = (await replicas(3)) as [WebhookProcess, WebhookProcess, WebhookProcess];
  server.endpoints = [a.port, b.port];
  const calls = load(server, 8);
  const first = await authorityOf(a);
  server.askForRotation();
  await waitFor("next authority", async () => (await a.status()).authority.next !== null);
  await doomed.kill();
  await rotated([a, b], first);
  const second = await authorityOf(a);
  server.askForRotation();
  await rotated([a, b], second);
  await calls.stop();
  assert.deepEqual(calls.failures, []);
  assert.ok(calls.done > 500, String(calls.done));
  assert.notEqual(await authorityOf(a), first);
  for (const one of [a, b]) {
    assert.match(one.text, /"step":"promote"|"serving certificate"/);
    assert.doesNotMatch(one.text, new RegExp(`PRIVATE KEY|${TOKEN}`));
    assert.doesNotMatch(JSON.stringify(await one.status()), /PRIVATE KEY/);
  }
  const { data } = server.api.objects.get(SECRET) as unknown as { data: Record<string, string> };
  for (const one of [a, b]) assert.ok(!one.text.includes(data["ca.key"] as string));
});

test("a rolling update under load: who gets SIGTERM is unready, answers a while, ends with 0, and no call fails", async () => {
  const [a, b] = (await replicas(2, "--drain-time=3s")) as [WebhookProcess, WebhookProcess];
  const calls = load(server, 8);
  const successor = await replica();
  server.endpoints = [a.port, b.port, successor.port];
  await waitFor("calls to all three", async () => (await successor.status()).admissions.results.length > 0);
  a.signal("SIGTERM");
  await waitFor("unready", async () => (await a.get("/readyz")).status === 503);
  // As long as the nodes have not heard of it calls still go there.
  await delay(100);
  server.endpoints = [b.port, successor.port];
  assert.equal(await a.ended(), 0);
  await calls.stop();
  assert.deepEqual(calls.failures, []);
});

test("without a caBundle there is no certificate, and the replica is not ready and says why", async () => {
  const lone = await CallingApiServer.start();
  lone.api.behaviour.answer = (_method, path) => (path.includes("webhookconfigurations") ? { status: 403 } : undefined);
  const started = await WebhookProcess.start(lone.api.url);
  processes.push(started);
  await waitFor("the reason", async () => (await started.status()).problems.length > 0);
  const ready = await started.get("/readyz");
  assert.deepEqual([ready.status, (await started.get("/healthz")).status], [503, 200]);
  assert.match(await ready.text(), /mutatingwebhookconfigurations\/sgx-webhook: the API server answered 403/);
  lone.endpoints = [started.port];
  await assert.rejects(lone.admit(), /handshake failure/);
  await lone.stop();
});

test("an address that is taken is exit status 78, with the code", async () => {
  const taken = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => taken.once("listening", resolve));
  const { port } = taken.address() as AddressInfo;
  for (const option of ["--listen", "--health-listen"]) {
    const started = WebhookProcess.launch(server.api.url, [`${option}=127.0.0.1:${port}`]);
    assert.equal(await started.ended(), 78);
    assert.match(started.text, /STATUS_ADDRESS_UNUSABLE/);
  }
  taken.close();
});

test("wrong options are exit status 64", async () => {
  const wrong: readonly (readonly [string, RegExp])[] = [
    ["--listen=9443", /--listen takes host:port/],
    ["--authority-life=1y", /--authority-life takes a time from 10s to 3650d/],
    ["--retention-time=15s", /at least twice --poll-interval/],
    ["--api-server=http://10.0.0.1", /only an address of this machine/],
  ];
  await Promise.all(
    wrong.map(async ([option, message]) => {
      const started = WebhookProcess.launch(server.api.url, ["--poll-interval=10s", option]);
      assert.equal(await started.ended(), 64, option);
      assert.match(started.text, message);
    }),
  );
});
