import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, createServer, request as httpRequest, type IncomingMessage } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { until } from "../../testing/until.ts";
import { type AdmissionAnswered, type AdmissionHandlerOptions, createAdmissionHandler } from "./admission-handler.ts";

const POD = { spec: { containers: [{ name: "app", env: [{ name: "SGX_AESM_ADDR", value: "1" }] }] } };
const review = (object: unknown = POD): string =>
  JSON.stringify({
    apiVersion: "admission.k8s.io/v1",
    kind: "AdmissionReview",
    request: { uid: "u", kind: { group: "", version: "v1", kind: "Pod" }, operation: "CREATE", object },
  });

/** Deadlines pass when the test says so. */
class ManualTimers {
  readonly pending = new Set<() => void>();
  setTimeout = (run: () => void): unknown => {
    this.pending.add(run);
    return run;
  };
  clearTimeout = (timer: unknown): void => {
    this.pending.delete(timer as () => void);
  };
  expire(): void {
    for (const run of [...this.pending]) run();
  }
}

async function service(t: TestContext, options: Partial<AdmissionHandlerOptions> = {}) {
  const timers = new ManualTimers();
  const answered: AdmissionAnswered[] = [];
  const handler = createAdmissionHandler({
    admission: { resourceNames: "azure", enclaveSlot: false, aesmDirectory: "/var/run/aesmd" },
    timers,
    elapsed: () => 0,
    onAnswered: (one) => {
      answered.push(one);
      throw new Error("a metric that fails changes nothing");
    },
    ...options,
  });
  const server = createServer(handler).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const agent = new Agent({ keepAlive: true });
  t.after(() => {
    agent.destroy();
    server.closeAllConnections();
    server.close();
  });
  return { port, agent, timers, answered };
}

type Service = Awaited<ReturnType<typeof service>>;

interface Exchange {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

async function ask({ port, agent }: Service, { path, method, headers, body = review() }: Exchange = {}) {
  const asked = httpRequest({
    ...{ port, agent, method: method ?? "POST", path: path ?? "/mutate/slot?timeout=5s" },
    headers: {
      "content-type": "application/json",
      ...(headers?.["transfer-encoding"] === undefined ? { "content-length": Buffer.byteLength(body) } : {}),
      ...headers,
    },
  });
  asked.end(body);
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  let text = "";
  for await (const chunk of response.setEncoding("utf8")) text += chunk;
  return { status: response.statusCode, headers: response.headers, text };
}

const patchOf = (text: string): string => {
  const { response } = JSON.parse(text) as { response: { patch: string } };
  return Buffer.from(response.patch, "base64").toString("utf8");
};

test("each path injects what it is called after, whatever query the API server adds", async (t) => {
  const own = await service(t);
  const slot = await ask(own);
  assert.equal(slot.status, 200);
  assert.equal(slot.headers["content-type"], "application/json");
  assert.match(patchOf(slot.text), /sgx\.confcom\.dev~1quote/);
  const mount = await ask(own, { path: "/mutate/mount" });
  assert.match(patchOf(mount.text), /volumeMounts/);
  assert.deepEqual(own.answered, [
    { path: "/mutate/slot", result: "patched", warnings: 0, milliseconds: 0 },
    { path: "/mutate/mount", result: "patched", warnings: 0, milliseconds: 0 },
  ]);
});

test("pods that need nothing, and pods that are refused, are answered with 200 too", async (t) => {
  const own = await service(t);
  const unchanged = await ask(own, { body: review({ spec: { containers: [] } }) });
  assert.deepEqual(JSON.parse(unchanged.text), {
    apiVersion: "admission.k8s.io/v1",
    kind: "AdmissionReview",
    response: { uid: "u", allowed: true },
  });
  const limits = { "kubernetes.azure.com/sgx_epc_mem_in_MiB": "10Mi" };
  const refused = await ask(own, { body: review({ spec: { containers: [{ name: "app", resources: { limits } }] } }) });
  assert.equal(refused.status, 200);
  assert.match(refused.text, /"allowed":false,"status":\{"code":422/);
  assert.deepEqual(
    own.answered.map(({ result }) => result),
    ["unchanged", "refused"],
  );
});

test("what no API server sends is refused with a reason, and the connection with what is left unread", async (t) => {
  const own = await service(t, { limits: { bodyBytes: 1_000 } });
  const cases: readonly (readonly [Exchange, number, RegExp, boolean])[] = [
    [{ path: "/" }, 404, /\/mutate\/slot and \/mutate\/mount/, true],
    [{ path: "/mutate/constructor" }, 404, /not found/, true],
    [{ method: "PUT" }, 405, /POST only/, true],
    [{ headers: { "content-type": "text/plain" } }, 415, /application\/json/, true],
    [{ headers: { "content-encoding": "gzip" } }, 415, /content-encoding/, true],
    [{ body: "x".repeat(1_001) }, 413, /larger than 1000 bytes/, true],
    [{ headers: { "transfer-encoding": "chunked" } }, 411, /content-length/, true],
    [{ body: "{}" }, 400, /no AdmissionReview/, false],
    [{ body: "x" }, 400, /not JSON/, false],
  ];
  for (const [exchange, status, message, ends] of cases) {
    const answer = await ask(own, exchange);
    assert.equal(answer.status, status);
    assert.match(answer.text, message);
    assert.equal(answer.headers.connection === "close", ends, JSON.stringify(exchange).slice(0, 80));
  }
  assert.equal((await ask(own)).status, 200);
  assert.equal(own.answered.length, cases.length + 1);
  assert.equal(own.answered.filter(({ path }) => path === undefined).length, 2);
});

/** A request whose body does not come. */
async function halfRequest({ port }: Service, length: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  socket.write(
    `POST /mutate/slot HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n{`,
  );
  return socket;
}

test("a body that does not come in time is answered with 408", async (t) => {
  const own = await service(t);
  const socket = await halfRequest(own, 100);
  await until("the request's deadline", () => own.timers.pending.size === 1);
  own.timers.expire();
  let text = "";
  for await (const chunk of socket.setEncoding("utf8")) text += chunk;
  assert.match(text, /^HTTP\/1\.1 408 /);
  assert.deepEqual(
    own.answered.map(({ result }) => result),
    ["unread"],
  );
});

test("a connection that ends in the middle of a body leaves nothing behind", async (t) => {
  const own = await service(t, { limits: { totalBytes: 1_000 } });
  const socket = await halfRequest(own, 1_000);
  await until("the request", () => own.timers.pending.size === 1);
  socket.destroy();
  await until("its end", () => own.answered.length === 1);
  assert.equal(own.timers.pending.size, 0);
  assert.equal((await ask(own)).status, 200, "its room was given back");
});

test("bodies that are announced and do not come keep nobody waiting", async (t) => {
  const own = await service(t, { limits: { totalBytes: 1 << 20, bodyBytes: 1 << 20 } });
  const holders = await Promise.all(Array.from({ length: 20 }, () => halfRequest(own, 1 << 20)));
  await until("all of them", () => own.timers.pending.size === holders.length);
  assert.equal((await ask(own)).status, 200);
  for (const holder of holders) holder.destroy();
  await until("their ends", () => own.answered.length === holders.length + 1);
});

test("where bodies hold too much, the largest of whoever holds the most is given up", async (t) => {
  const own = await service(t, { limits: { totalBytes: 1_200 } });
  const greedy = await halfRequest(own, 1_000);
  greedy.write(" ".repeat(900));
  await until("the greedy one", () => own.timers.pending.size === 1);
  const large = ask(own, { body: `${review()}${" ".repeat(600)}` });
  let text = "";
  for await (const chunk of greedy.setEncoding("utf8")) text += chunk;
  assert.match(text, /^HTTP\/1\.1 503 /);
  assert.equal((await large).status, 200);
  assert.deepEqual(own.answered.map(({ result }) => result).sort(), ["overloaded", "patched"]);
});

test("a body of more values than a pod has is not decoded", async (t) => {
  const own = await service(t, { limits: { values: 100 } });
  const padding = Array.from({ length: 100 }, () => ({}));
  const answer = await ask(own, { body: review({ ...POD, padding }) });
  assert.equal(answer.status, 400);
  assert.match(answer.text, /more than 100 values/);
  assert.equal((await ask(own)).status, 200);
});

test("while draining, each answer ends its connection", async (t) => {
  let draining = false;
  const own = await service(t, { draining: () => draining });
  assert.equal((await ask(own)).headers.connection, "keep-alive");
  draining = true;
  assert.equal((await ask(own)).headers.connection, "close");
});

test("a defect is answered with 500 and told, and the next pod is admitted", async (t) => {
  const told: unknown[] = [];
  const broken = { resourceNames: "azure", enclaveSlot: false, aesmDirectory: undefined as unknown as string } as const;
  const own = await service(t, { admission: broken, onDefect: (error) => told.push(error) });
  const answer = await ask(own);
  assert.equal(answer.status, 500);
  assert.match(answer.text, /a defect of confcom/);
  assert.equal(told.length, 1);
  assert.equal((await ask(own, { body: review("no pod") })).status, 200);
});
