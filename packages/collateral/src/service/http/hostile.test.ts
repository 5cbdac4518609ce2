import assert from "node:assert/strict";
import { request } from "node:http";
import { connect } from "node:net";
import { test } from "node:test";
import { ServiceRefusal } from "../status.ts";
import { ADMIN_TOKEN, serve, V4 } from "./testing/served.ts";
import { served200, TCB_JSON } from "./testing/service-double.ts";

const TCB = `${V4}/tcb?fmspc=00606a000000`;
const GET = `GET ${TCB} HTTP/1.1\r\nHost: x\r\n`;

test("Request-ID comes back where it is harmless, and is 32 digits of the server's where not", async (t) => {
  const { ask } = await serve(t);
  assert.equal((await ask("GET", TCB, { "Request-ID": "abc-123_x.y" })).headers["request-id"], "abc-123_x.y");
  const fresh = new Set<unknown>();
  for (const given of ["a b", 'x"y', "<script>", "a".repeat(65), "\u00e9"]) {
    const { headers } = await ask("GET", TCB, { "Request-ID": given });
    assert.match(String(headers["request-id"]), /^[0-9a-f]{32}$/);
    fresh.add(headers["request-id"]);
  }
  assert.equal(fresh.size, 5);
});

const SMUGGLED: readonly (readonly [string, string])[] = [
  ["two lengths", "Content-Length: 5\r\nContent-Length: 6\r\n"],
  ["a length and chunks", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"],
  ["chunks that are not the last encoding", "Transfer-Encoding: chunked, identity\r\n"],
  ["a space before the colon", "Content-Length : 5\r\n"],
  ["a folded line", "X: a\r\n b\r\n"],
  ["a length with a sign", "Content-Length: +5\r\n"],
  ["a NUL in a value", "X: a\0b\r\n"],
];
for (const [what, headers] of SMUGGLED) {
  test(`a request with ${what} is 400 and its connection ends`, async (t) => {
    const { raw, service } = await serve(t);
    const answer = await raw(`POST ${V4}/platforms HTTP/1.1\r\nHost: x\r\n${headers}\r\nabcdeGET / HTTP/1.1\r\n\r\n`);
    assert.match(answer, /^HTTP\/1\.1 400 /);
    assert.equal(answer.split("HTTP/1.1 ").length, 2);
    assert.deepEqual(service.asked, []);
  });
}

test("a GET with a body is answered, and what follows on the connection is not taken for a request", async (t) => {
  const { raw } = await serve(t);
  const answer = await raw(`${GET}Content-Length: 100\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n`);
  assert.equal(answer.split("HTTP/1.1 ").length, 2);
  assert.match(answer, /Connection: close/i);
});

test("headers beyond the limit are 431, a URL beyond it 400, no Host 400", async (t) => {
  const { raw, ask } = await serve(t);
  assert.match(await raw(`${GET}X: ${"a".repeat(20_000)}\r\n\r\n`), /^HTTP\/1\.1 431 /);
  assert.equal((await ask("GET", `${TCB}&x=${"a".repeat(9000)}`)).status, 400);
  assert.match(await raw(`GET ${TCB} HTTP/1.1\r\nConnection: close\r\n\r\n`), /^HTTP\/1\.1 400 /);
});

test("a URL in absolute form is its path, whatever host it names", async (t) => {
  const { raw } = await serve(t);
  const answer = await raw(`GET http://elsewhere${TCB} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  assert.match(answer, /^HTTP\/1\.1 200 /);
});

test("what a path has for a browser comes back as text", async (t) => {
  const { raw } = await serve(t);
  const answer = await raw("GET /<script>alert('x')</script> HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  assert.match(answer, /^HTTP\/1\.1 404 /);
  assert.doesNotMatch(answer, /<script>/);
});

test("pipelined requests are answered in their order", async (t) => {
  const { raw, service } = await serve(t);
  const answer = await raw(
    `${GET}Request-ID: one\r\n\r\n${GET}Request-ID: two\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\nRequest-ID: three\r\nConnection: close\r\n\r\n`,
  );
  assert.deepEqual(
    [...answer.matchAll(/Request-ID: (\w+)/g)].map(([, id]) => id),
    ["one", "two", "three"],
  );
  assert.equal(answer.split(TCB_JSON).length, 3);
  assert.equal(service.asked.length, 1);
});

test("over the rate of its prefix a client is told to come back, and is served when time has passed", async (t) => {
  const { ask, clock, service } = await serve(t, { limits: { requestRate: 1, requestBurst: 3 } });
  const statuses = [];
  for (let count = 0; count < 5; count++) statuses.push((await ask("GET", TCB)).status);
  assert.deepEqual(statuses, [200, 200, 200, 503, 503]);
  assert.equal((await ask("GET", TCB)).headers["retry-after"], "1");
  assert.equal(service.asked.length, 1);
  clock.advance(1000);
  assert.equal((await ask("GET", TCB)).status, 200);
});

test("misses have a rate of their own: what is cached is answered beyond it", async (t) => {
  const { ask, service } = await serve(t, { limits: { missRate: 1, missBurst: 2 } });
  const status = async (fmspc: string) => (await ask("GET", `${V4}/tcb?fmspc=${fmspc}`)).status;
  assert.deepEqual([await status("000000000001"), await status("000000000002")], [200, 200]);
  assert.equal(await status("000000000003"), 503);
  assert.equal(await status("000000000001"), 200);
  assert.equal(service.asked.length, 2);
});

test("who asks for what is nowhere uses up his own prefix's share: what is stored he still gets, others ask on", async (t) => {
  const { ask, clock, server, service } = await serve(t, { limits: { unansweredRate: 1, unansweredBurst: 2 } });
  const fromAnotherPrefix = (fmspc: string) =>
    new Promise((resolve, reject) => {
      const { host, port } = server.address;
      request({ host, port, localAddress: "127.0.1.1", path: `${V4}/tcb?fmspc=${fmspc}` }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      })
        .on("error", reject)
        .end();
    });
  let upstream = 0;
  service.onGet = async (request, asking) => {
    const fmspc = request.kind === "tcb-info" ? request.fmspc : "";
    if (fmspc.startsWith("A")) return served200(request);
    asking?.();
    upstream++;
    if (fmspc.startsWith("B")) return served200(request);
    throw new ServiceRefusal(fmspc.startsWith("C") ? 502 : 404, "none");
  };
  const status = async (fmspc: string) => (await ask("GET", `${V4}/tcb?fmspc=${fmspc}`)).status;
  for (const fmspc of ["B00000000001", "B00000000002", "B00000000003"]) assert.equal(await status(fmspc), 200);
  for (const fmspc of ["C00000000001", "C00000000002", "C00000000003"]) assert.equal(await status(fmspc), 502);
  assert.deepEqual([await status("000000000001"), await status("000000000002")], [404, 404]);
  assert.equal(upstream, 8);
  assert.deepEqual([await status("000000000003"), await status("B00000000004")], [503, 503]);
  assert.equal(upstream, 8);
  assert.equal(await status("A00000000001"), 200);
  assert.equal(await fromAnotherPrefix("000000000004"), 404);
  clock.advance(1000);
  assert.equal(await status("000000000005"), 404);
});

test("more requests than may wait are 503, those that wait are answered", async (t) => {
  const { ask, service, server } = await serve(t, { limits: { maxInFlight: 1 } });
  let finish = () => {};
  const reached = new Promise<void>((began) => {
    service.onGet = (request) => {
      service.onGet = undefined;
      began();
      return new Promise((resolve) => {
        finish = () => resolve(service.get(request));
      });
    };
  });
  const first = ask("GET", TCB);
  await reached;
  assert.equal((await ask("GET", `${V4}/qe/identity`)).status, 503);
  finish();
  assert.equal((await first).status, 200);
  assert.ok(server.metrics().some(({ name }) => name === "confcom_pccs_http_limited_total"));
});

test("who opens too many connections loses his oldest, and others are answered", async (t) => {
  const { ask, server } = await serve(t, { limits: { maxConnections: 8 } });
  const { host, port } = server.address;
  const sockets = [];
  for (let count = 0; count < 40; count++) {
    const socket = connect({ host, port, localAddress: "127.0.1.1" });
    socket.on("error", () => {});
    await new Promise((resolve) => socket.once("connect", resolve));
    sockets.push(socket);
  }
  assert.equal((await ask("GET", TCB)).status, 200);
  for (const socket of sockets) socket.destroy();
});

test("who sends a header byte by byte is cut with 408", async (t) => {
  const { raw } = await serve(t, { limits: { headersTimeout: 100 } });
  assert.match(await raw("GET / HTTP/1.1\r\nHost"), /^HTTP\/1\.1 408 |^$/);
});

test("the access log has one line a request, without tokens, queries and encrypted PPIDs", async (t) => {
  const { ask, log } = await serve(t);
  const ppid = "ab".repeat(384);
  await ask("GET", `${V4}/pckcert?qeid=aa&encrypted_ppid=${ppid}&cpusvn=${"00".repeat(16)}&pcesvn=0d00&pceid=0000`);
  await ask("GET", `${V4}/pckcert?qeid=aa&encrypted_ppid=${ppid}&cpusvn=${"00".repeat(16)}&pcesvn=0d00&pceid=0000`);
  await ask("POST", `${V4}/refresh`, { "admin-token": "a wrong secret" });
  await ask("POST", `${V4}/refresh`, { "admin-token": ADMIN_TOKEN });
  await ask("GET", `/%0a"},{"x":"${ppid}?token=${ADMIN_TOKEN.replaceAll(" ", "+")}`);
  const lines = log();
  assert.deepEqual(
    lines.map(({ status, cache }) => [status, cache]),
    [
      [200, false],
      [200, true],
      [401, false],
      [200, false],
      [404, false],
    ],
  );
  assert.equal(lines[0]?.key, lines[1]?.key);
  assert.equal(lines[2]?.reason, "the admin token is wrong");
  const text = JSON.stringify(lines);
  for (const secret of [ppid, "wrong secret", ADMIN_TOKEN, "token="]) assert.ok(!text.includes(secret), secret);
});
