import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { ApiClient } from "../api/api-client.ts";
import type { PluginStatus } from "../status/plugin-status.ts";
import { type StatusServer, startStatusServer } from "../status/status-server.ts";
import { examplePluginStatus } from "../status/testing/example-plugin-status.ts";
import { FakeApiServer } from "../testing/fake-api-server/fake-api-server.ts";
import { until } from "../testing/until.ts";
import { NodeStatus } from "./node-status.ts";

const EPC = "sgx.intel.com/epc";
const PATCH = "PATCH /api/v1/nodes/worker-1/status?fieldManager=confcom-node-status";
/** Ten seconds pass in a tenth of a second. */
const hurriedClock = {
  now: () => Date.parse("2026-01-02T03:04:05Z") + performance.now() * 100,
  setTimeout: (run: () => void, milliseconds: number) => setTimeout(run, milliseconds / 100),
  clearTimeout: (timer: unknown) => clearTimeout(timer as NodeJS.Timeout),
};

let api: FakeApiServer;
let client: ApiClient;
let plugin: StatusServer;
let said: PluginStatus | undefined;
let nodeStatus: NodeStatus;
let logged: string[];
let stop: AbortController;
let running: Promise<void> | undefined;

beforeEach(async () => {
  said = examplePluginStatus();
  logged = [];
  api = await FakeApiServer.start();
  plugin = await startStatusServer(
    { host: "127.0.0.1", port: 0 },
    {
      status: () => said,
      healthy: () => ({ ok: true, why: "" }),
      ready: () => ({ ok: true, why: "" }),
    },
  );
  stop = new AbortController();
});

afterEach(async () => {
  stop.abort();
  await running;
  running = undefined;
  client.close();
  await plugin.close();
  await api.stop();
});

function start(token: () => string = () => "token"): void {
  const log = (_facts: object, message: string) => void logged.push(message);
  client = new ApiClient({ server: api.url, credentials: async () => ({ token: token(), ca: "" }), userAgent: "test" });
  nodeStatus = new NodeStatus({
    node: "worker-1",
    plugin: new URL(`http://127.0.0.1:${plugin.address.port}/status`),
    api: client,
    eventNamespace: "default",
    clock: hurriedClock,
    random: () => 0.5,
    log: { info: log, warn: log, error: log },
  });
  running = nodeStatus.run(stop.signal);
}

const problems = () => nodeStatus.report().problems.map(({ code }) => code);
const capable = () => api.node.metadata.labels["sgx.confcom.dev/capable"];
/** Several rounds of both loops. */
const aWhile = () => new Promise((resolve) => setTimeout(resolve, 400));

test("labels come from the hardware, in one patch; then nothing is written any more", async () => {
  start();
  assert.equal(nodeStatus.ready().ok, false);
  await until("labels", () => capable() === "true");
  assert.deepEqual(api.node.metadata.labels, {
    "kubernetes.io/os": "linux",
    "sgx.confcom.dev/capable": "true",
    "sgx.confcom.dev/epc-mib": "64",
    "sgx.confcom.dev/driver": "in-tree",
  });
  await until("the event", () => api.events.size === 1);
  await aWhile();
  assert.equal(api.writes.filter((write) => write === PATCH).length, 1);
  assert.equal(nodeStatus.ready().ok, true);
});

test("a node without SGX is not written at all", async () => {
  said = examplePluginStatus({ state: "idle", sgx: { ...examplePluginStatus().sgx, capable: false }, events: [] });
  start();
  await until("a read", () => nodeStatus.ready().ok);
  await aWhile();
  assert.deepEqual(api.writes, []);
});

test("a counter is written, and its canonical spelling is the same number", async () => {
  said = examplePluginStatus({ counters: [{ name: EPC, quantity: "64000000" }] });
  start();
  await until("the counter", () => api.node.status.capacity[EPC] === "64M");
  await aWhile();
  assert.equal(api.writes.filter((write) => write === PATCH).length, 1);
});

test("a counter that the kubelet set to zero is written again", async () => {
  said = examplePluginStatus({ counters: [{ name: EPC, quantity: "64000000" }] });
  start();
  await until("the counter", () => api.node.status.capacity[EPC] === "64M");
  api.change({ status: { capacity: { [EPC]: "0" } } });
  await until("the counter again", () => api.node.status.capacity[EPC] === "64M");
});

test("a counter that somebody keeps changing is written ever less often, and that is said", async () => {
  said = examplePluginStatus({ counters: [{ name: EPC, quantity: "64000000" }] });
  start();
  const meddler = setInterval(() => {
    if (api.node.status.capacity[EPC] === "64M") api.change({ status: { capacity: { [EPC]: "1" } } });
  }, 2);
  try {
    await until("the problem", () => problems().includes("COUNTER_CONTESTED"));
  } finally {
    clearInterval(meddler);
  }
  await until("the counter", () => api.node.status.capacity[EPC] === "64M");
  await until("peace", () => !problems().includes("COUNTER_CONTESTED"));
});

test("a counter that is no longer wanted goes; other writers' resources stay", async () => {
  said = examplePluginStatus({ counters: [{ name: EPC, quantity: "64000000" }] });
  api.change({ status: { capacity: { "example.com/other": "3" } } });
  start();
  await until("the counter", () => api.node.status.capacity[EPC] === "64M");
  said = examplePluginStatus();
  await until("it gone", () => api.node.status.capacity[EPC] === undefined);
  assert.deepEqual(api.node.status.capacity, { cpu: "2", "example.com/other": "3" });
  assert.deepEqual(api.node.metadata.annotations, {});
});

test("a device that is away for a moment does not cost the label, one that stays away does", async () => {
  start();
  await until("labels", () => capable() === "true");
  said = examplePluginStatus({ sgx: { ...examplePluginStatus().sgx, capable: false } });
  await until("the plugin read again", () => nodeStatus.pluginStatus?.sgx.capable === false);
  assert.equal(capable(), "true");
  await until("label gone", () => capable() === undefined);
});

test("without the plugin the node stays as it is", async () => {
  start();
  await until("labels", () => capable() === "true");
  await plugin.close();
  await until("the problem", () => problems().includes("PLUGIN_UNREACHABLE"));
  await aWhile();
  assert.equal(capable(), "true");
});

test("something else that answers as the plugin is no reason to write", async () => {
  said = { hello: "world" } as unknown as PluginStatus;
  start();
  await until("the problem", () => problems().includes("PLUGIN_STATUS_MALFORMED"));
  await aWhile();
  assert.deepEqual(api.writes, []);
});

test("while the API server is away nothing is lost: labels and events are written when it is back", async () => {
  await api.stop();
  start();
  await until("the problem", () => problems().includes("API_SERVER_UNREACHABLE"));
  assert.equal(nodeStatus.healthy().ok, true);
  await api.start();
  await until("labels", () => capable() === "true");
  await until("the event", () => api.events.size === 1);
  await until("no problem", () => problems().length === 0);
});

for (const [status, code] of [
  [401, "API_SERVER_UNAUTHORIZED"],
  [403, "API_SERVER_FORBIDDEN"],
  [404, "API_SERVER_NO_NODE"],
  [429, "API_SERVER_BUSY"],
  [500, "API_SERVER_BUSY"],
  [422, "API_SERVER_REFUSED"],
] as const) {
  test(`an answer of ${status} is ${code}, and the next try mends it`, async () => {
    api.behaviour.answer = (_method, path) =>
      path.startsWith("/api/v1/nodes/") ? { status, message: "why not" } : undefined;
    start();
    await until("the problem", () => problems().includes(code));
    assert.match(nodeStatus.report().problems[0]?.message ?? "", /why not/);
    api.behaviour.answer = undefined;
    await until("labels", () => capable() === "true");
    await until("no problem", () => problems().length === 0);
  });
}

test("Retry-After is obeyed", async () => {
  let asked = 0;
  api.behaviour.answer = () => {
    asked++;
    return { status: 429, headers: { "retry-after": "120" } };
  };
  start();
  await until("a request", () => asked > 0);
  await aWhile();
  assert.ok(asked <= 2, `${asked} requests in 40 s`);
});

test("what is no JSON, or no node, is refused", async () => {
  api.behaviour.answer = () => ({ status: 200, body: "<html>" });
  start();
  await until("the problem", () => problems().includes("API_SERVER_REFUSED"));
});

test("every request carries the token as it is in the file at that moment", async () => {
  let token = "first";
  start(() => token);
  await until("labels", () => capable() === "true");
  token = "second";
  await until("the new token", () => api.requests.at(-1)?.token === "second");
});

test("a token that cannot be read is a problem of its own, and nothing is sent", async () => {
  start(() => {
    throw new Error("ENOENT: no token");
  });
  await until("the problem", () => problems().includes("API_CREDENTIALS_UNREADABLE"));
  assert.deepEqual(api.requests, []);
});

test("an event is about the node as the kubelet's are, and told once", async () => {
  start();
  await until("the event", () => api.events.size === 1);
  const [event] = [...api.events.values()];
  assert.deepEqual(event?.involvedObject, { kind: "Node", name: "worker-1", uid: "worker-1" });
  assert.equal(event?.metadata.namespace, "default");
  assert.equal(event?.reason, "SgxFound");
  await aWhile();
  assert.equal(event?.count, 1);
});

test("the same event again is the same Event with a higher count", async () => {
  start();
  await until("the event", () => api.events.size === 1);
  const [first] = examplePluginStatus().events;
  assert.ok(first);
  said = examplePluginStatus({
    events: [first, { ...first, sequence: 2 }, { ...first, sequence: 3, message: "more" }],
  });
  await until("the third", () => api.events.size === 2);
  assert.deepEqual(
    [...api.events.values()].map(({ message, count }) => [message, count]),
    [
      [first.message, 2],
      ["more", 1],
    ],
  );
});

test("a companion that was restarted does not tell events twice", async () => {
  start();
  await until("the event", () => api.events.size === 1);
  stop.abort();
  await running;
  client.close();
  stop = new AbortController();
  start();
  await until("it read", () => nodeStatus.report().events.sent === 1);
  assert.equal(api.events.size, 1);
});

test("a flood of events is cut down to the newest, and sent at a bounded rate", async () => {
  const [first] = examplePluginStatus().events;
  assert.ok(first);
  const flood = Array.from({ length: 256 }, (_, i) => ({ ...first, sequence: i + 1, message: `message ${i}` }));
  said = examplePluginStatus({ events: flood });
  start();
  await until("a burst", () => api.events.size >= 25);
  await aWhile();
  assert.ok(api.events.size < 40, `${api.events.size} events in 40 s`);
});

test("an event that the API server will never take does not hold up the others", async () => {
  const [first] = examplePluginStatus().events;
  assert.ok(first);
  said = examplePluginStatus({ events: [first, { ...first, sequence: 2, message: "good" }] });
  let refused = 0;
  api.behaviour.answer = (method) => (method === "POST" && refused++ === 0 ? { status: 422 } : undefined);
  start();
  await until("the second", () => api.events.size === 1);
  assert.equal([...api.events.values()][0]?.message, "good");
});
