import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener, request } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import type { Clock } from "../clock.ts";
import { CollateralError, type CollateralErrorCode } from "../errors.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { testTls } from "../testing/test-tls.ts";
import { type HttpClientOptions, type HttpRequest, httpClient } from "./http-client.ts";

const clock: Clock = {
  now: () => Date.now(),
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
};

function clientOf(t: TestContext, options: Partial<HttpClientOptions> = {}) {
  const client = httpClient({ clock, ...options });
  t.after(() => client.close());
  return (url: string, more: Partial<HttpRequest> = {}) =>
    client.fetchBytes({ source: "test", url, maxBytes: 1_000, signal: new AbortController().signal, ...more });
}

async function serve(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A server that writes bytes as they are, whatever it was asked. */
async function serveRaw(t: TestContext, answer: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("data", () => answer(socket));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function fails(work: Promise<unknown>, code: CollateralErrorCode, message: RegExp): Promise<CollateralError> {
  const error = await work.then(
    () => assert.fail("answered"),
    (error: unknown) => error,
  );
  assert.ok(error instanceof CollateralError, String(error));
  assert.equal(error.code, code, error.message);
  assert.match(error.message, message);
  assert.equal(error.source, "test");
  return error;
}

test("an answer comes with status, headers in lower case and body; of a header that came twice, the first", async (t) => {
  const url = await serve(t, (asked, answer) => {
    assert.equal(asked.headers["x-key"], "value");
    assert.equal(asked.headers["accept-encoding"], "identity");
    answer.setHeader("SGX-TCBm", ["first", "second"]);
    answer.writeHead(461).end("body");
  });
  const answer = await clientOf(t)(`${url}/a?b=c`, { headers: { "x-key": "value" } });
  assert.equal(answer.status, 461);
  assert.equal(answer.headers["sgx-tcbm"], "first");
  assert.equal(Buffer.from(answer.body).toString(), "body");
});

test("the query reaches the server exactly as it was written", async (t) => {
  const query = "/pckcrl?uri=https%253a%252f%252fexample.com&x=a+b/c=:d";
  const url = await serve(t, (asked, answer) => answer.end(asked.url));
  const answer = await clientOf(t)(`${url}${query}`);
  assert.equal(Buffer.from(answer.body).toString(), query);
});

test("a body is posted", async (t) => {
  const url = await serve(t, (asked, answer) => asked.pipe(answer));
  const answer = await clientOf(t)(url, { method: "POST", body: '{"pceid":"0000"}' });
  assert.equal(Buffer.from(answer.body).toString(), '{"pceid":"0000"}');
});

test("nobody listening is unreachable, and the message has no query, user or password in it", async (t) => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  const asked = clientOf(t)(`http://user:secret@127.0.0.1:${port}/tcb?customParameter=secret`);
  const error = await fails(asked, "SOURCE_UNREACHABLE", /refused/);
  assert.doesNotMatch(error.message, /secret|user/);
});

test("an answer that is cut in its middle is unreachable, to be tried again", async (t) => {
  const url = await serve(t, (_, answer) => {
    answer.writeHead(200, { "content-length": "100" });
    answer.write("half", () => answer.destroy());
  });
  await fails(clientOf(t)(url), "SOURCE_UNREACHABLE", /middle of the answer/);
});

test("silence ends at the deadline of its part: the headers, the body however it drips, the whole request", async (t) => {
  const silent = await serveRaw(t, () => {});
  const deadlines = { connectMs: 5_000, firstByteMs: 20, bodyMs: 5_000 };
  await fails(clientOf(t, { deadlines })(silent), "SOURCE_TIMEOUT", /waiting for the answer .* within 20 ms/);

  const dripping = await serveRaw(t, (socket) => {
    socket.write("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
    const drip = setInterval(() => socket.write("x"), 5);
    socket.on("close", () => clearInterval(drip));
  });
  const body = { connectMs: 5_000, firstByteMs: 5_000, bodyMs: 60 };
  await fails(clientOf(t)(dripping, { deadlines: body }), "SOURCE_TIMEOUT", /reading the answer .* within 60 ms/);

  const signal = AbortSignal.timeout(20);
  const error = await fails(clientOf(t)(silent, { signal }), "SOURCE_TIMEOUT", /whole request/);
  assert.equal(error.cause, signal.reason);
});

test("a deadline that is over before anything is sent is a timeout", async (t) => {
  const url = await serve(t, () => assert.fail("asked"));
  await fails(clientOf(t)(url, { signal: AbortSignal.abort() }), "SOURCE_TIMEOUT", /whole request/);
});

test("an answer without end is read up to the limit, whether it says its length or not", async (t) => {
  const endless = await serve(t, (_, answer) => {
    const more = () => {
      while (answer.write("x".repeat(500)));
    };
    answer.on("drain", more);
    more();
  });
  await fails(clientOf(t)(endless), "SOURCE_ANSWER", /larger than 1000 bytes/);
  const announced = await serveRaw(t, (socket) => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n"));
  await fails(clientOf(t)(announced), "SOURCE_ANSWER", /larger than 1000 bytes/);
});

test("what is no HTTP, and headers without end, are answers that cannot be used", async (t) => {
  const garbage = await serveRaw(t, (socket) => socket.end("SSH-2.0-OpenSSH\r\n"));
  await fails(clientOf(t)(garbage), "SOURCE_ANSWER", /not HTTP/);
  const header = await serveRaw(t, (socket) => socket.end("HTTP/1.1 200 OK\r\nbad header\u0000: x\r\n\r\n"));
  await fails(clientOf(t)(header), "SOURCE_ANSWER", /not HTTP/);
  const huge = await serveRaw(t, (socket) => socket.write(`HTTP/1.1 200 OK\r\nx: ${"y".repeat(40_000)}\r\n\r\n`));
  await fails(clientOf(t)(huge), "SOURCE_ANSWER", /headers are larger/);
  const packed = await serve(t, (_, answer) => answer.writeHead(200, { "content-encoding": "gzip" }).end("x"));
  await fails(clientOf(t)(packed), "SOURCE_ANSWER", /content encoding/);
});

test("redirects are followed on the host that was asked, three times at most, and never elsewhere", async (t) => {
  const asked: string[] = [];
  const url = await serve(t, (request, answer) => {
    asked.push(request.url ?? "");
    const left = Number(request.url?.slice(1));
    if (left === 0) answer.end("here");
    else answer.writeHead(302, { location: left === 9 ? "http://localhost:1/x?key=secret" : `/${left - 1}` }).end();
  });
  assert.equal(Buffer.from((await clientOf(t)(`${url}/3`)).body).toString(), "here");
  assert.deepEqual(asked, ["/3", "/2", "/1", "/0"]);
  await fails(clientOf(t)(`${url}/8`), "SOURCE_ANSWER", /redirects without end/);
  const error = await fails(
    clientOf(t)(`${url}/9`),
    "SOURCE_ANSWER",
    /redirects to http:\/\/localhost:1: not followed/,
  );
  assert.doesNotMatch(error.message, /secret/);
});

test("a kept connection that the server closed meanwhile is no failure", async (t) => {
  let connections = 0;
  const server = createTcpServer((socket) => {
    connections++;
    socket.on("error", () => {});
    // One answer on each connection; a second request on it is met by a reset.
    socket.once("data", () => {
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      socket.once("data", () => socket.resetAndDestroy());
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const ask = clientOf(t);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  for (let i = 0; i < 2; i++) assert.equal(Buffer.from((await ask(url)).body).toString(), "ok");
  assert.equal(connections, 2);
});

test("who waits for a connection that others use has its own deadlines, and finds no fault in a connection that is open", async (t) => {
  const manual = new ManualClock();
  const held: (() => void)[] = [];
  let arrived: () => void = () => {};
  const next = () =>
    new Promise<void>((resolve) => {
      arrived = resolve;
    });
  const connections = new Set<Socket>();
  const url = await serve(t, (asked, answer) => {
    connections.add(asked.socket);
    held.push(() => answer.end("ok"));
    arrived();
  });
  const deadlines = { connectMs: 1_000, firstByteMs: 5_000, bodyMs: 5_000 };
  const ask = clientOf(t, { clock: manual, connections: 1, deadlines });
  const warnings: Error[] = [];
  const warned = (warning: Error) => warnings.push(warning);
  process.on("warning", warned);
  t.after(() => process.off("warning", warned));
  let reached = next();
  const asked = Array.from({ length: 12 }, () => ask(url));
  for (let turn = 0; turn < asked.length; turn++) {
    await reached;
    manual.advance(turn < 2 ? 2_000 : 0);
    reached = next();
    held[turn]?.();
  }
  for (const answer of await Promise.all(asked)) assert.equal(answer.status, 200);
  assert.equal(connections.size, 1);
  assert.deepEqual(warnings, []);
});

test("a certificate of an unknown CA, or for another name, is not trusted; with its CA, or told not to look, it is", async (t) => {
  const { ca, certificate: cert, key } = testTls();
  const ports: Record<string, number> = {};
  // The certificate names the first address only.
  for (const host of ["127.0.0.1", "127.0.0.2"]) {
    const server = createTlsServer({ cert, key }, (_, answer) => answer.end("tls")).listen(0, host);
    await once(server, "listening");
    t.after(() => {
      server.close();
      server.closeAllConnections();
    });
    ports[host] = (server.address() as AddressInfo).port;
  }
  const right = `https://localhost:${ports["127.0.0.1"]}`;
  const wrong = `https://127.0.0.2:${ports["127.0.0.2"]}`;
  // Without what Node advises about its own options.
  await fails(clientOf(t)(right), "SOURCE_UNTRUSTED", /certificate[^;]*$/);
  await fails(clientOf(t, { tls: { ca } })(wrong), "SOURCE_UNTRUSTED", /altnames/);
  await fails(clientOf(t, { tls: { ca: testTls("another").ca } })(right), "SOURCE_UNTRUSTED", /certificate/);
  for (const [tls, url] of [
    [{ ca }, right],
    [{ ca }, `https://127.0.0.1:${ports["127.0.0.1"]}`],
    [{ insecure: true }, wrong],
  ] as const) {
    assert.equal(Buffer.from((await clientOf(t, { tls })(url)).body).toString(), "tls");
  }
});

test("TLS 1.1 is not spoken", async (t) => {
  const { ca, certificate: cert, key } = testTls();
  const versions = { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" } as const;
  const server = createTlsServer({ cert, key, ...versions }).listen(0, "127.0.0.1");
  server.on("tlsClientError", () => {});
  await once(server, "listening");
  t.after(() => server.close());
  const url = `https://localhost:${(server.address() as AddressInfo).port}`;
  await fails(clientOf(t, { tls: { ca } })(url), "SOURCE_UNREACHABLE", /TLS handshake failed/);
});

/** A TLS server for `localhost` behind a proxy that takes CONNECT, and where the proxy was asked to lead. */
async function serveBehindProxy(t: TestContext, listener: RequestListener) {
  const { ca, certificate: cert, key } = testTls();
  const server = createTlsServer({ cert, key }, listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const tunnels: string[] = [];
  const proxy = createServer().listen(0, "127.0.0.1");
  proxy.on("connect", (asked, socket) => {
    tunnels.push(asked.url ?? "");
    const target = connect(port, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      target.pipe(socket).pipe(target);
    });
    target.on("error", () => socket.destroy());
    socket.on("error", () => target.destroy());
  });
  await once(proxy, "listening");
  t.after(() => {
    for (const each of [server, proxy]) {
      each.close();
      each.closeAllConnections();
    }
  });
  const https = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  return { ca, https, port, tunnels, url: `https://localhost:${port}` };
}

test("https goes through a proxy by CONNECT, except to hosts that are excepted", async (t) => {
  const { ca, https, port, tunnels, url } = await serveBehindProxy(t, (_, answer) => answer.end("tls"));
  assert.equal((await clientOf(t, { tls: { ca }, proxies: { https } })(url)).status, 200);
  assert.deepEqual(tunnels, [`localhost:${port}`]);
  assert.equal((await clientOf(t, { tls: { ca }, proxies: { https, except: "localhost" } })(url)).status, 200);
  assert.equal(tunnels.length, 1);
});

test("a server that cuts every connection behind a proxy is one that cannot be reached", async (t) => {
  const { ca, https, url } = await serveBehindProxy(t, (asked) => asked.socket.destroy());
  await fails(
    clientOf(t, { tls: { ca }, proxies: { https } })(url),
    "SOURCE_UNREACHABLE",
    /connection was (reset|closed)/,
  );
});

test("a proxy that refuses is named without its password", async (t) => {
  const proxy = await serve(t, () => {});
  const refusing = proxy.replace("http://", "http://user:secret@");
  const { hostname, port } = new URL(proxy);
  // A server without a listener for CONNECT closes the connection.
  assert.ok(await new Promise((resolve) => request({ hostname, port, method: "CONNECT" }).on("error", resolve).end()));
  const asked = clientOf(t, { proxies: { https: refusing } })("https://localhost:1/");
  const error = await fails(asked, "SOURCE_UNREACHABLE", /connecting/);
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    assert.doesNotMatch(cause.message, /secret/);
  }
});

test("what cannot be sent is a parameter's fault, and is not repeated", async (t) => {
  await fails(clientOf(t)("file:///etc/passwd"), "PARAMETER", /cannot be asked/);
  await fails(clientOf(t)("not a URL secret"), "PARAMETER", /no URL cannot/);
  const headers = { "x-key": "secret\r\nx-other: 1" };
  const error = await fails(clientOf(t)("http://127.0.0.1:1/", { headers }), "PARAMETER", /cannot be sent/);
  assert.doesNotMatch(`${error.message} ${(error.cause as Error).message}`, /secret/);
});

test("no more requests wait than the limit", async (t) => {
  const url = await serve(t, () => {});
  const ask = clientOf(t);
  const controller = new AbortController();
  const asked = Array.from({ length: 256 }, () => ask(url, { signal: controller.signal }));
  await fails(ask(url), "SOURCE_BUSY", /256/);
  controller.abort();
  for (const one of await Promise.allSettled(asked)) assert.equal(one.status, "rejected");
  await fails(ask(url, { signal: AbortSignal.abort() }), "SOURCE_TIMEOUT", /whole/);
});
