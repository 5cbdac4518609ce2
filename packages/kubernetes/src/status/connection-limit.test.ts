import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, get } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { test } from "node:test";
import { until } from "../testing/until.ts";
import { limitConnections } from "./connection-limit.ts";

const LIMIT = 8;

async function startServer(t: { after(run: () => void): void }): Promise<number> {
  const server = createServer((_request, response) => response.end("ok"));
  limitConnections(server, LIMIT);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

async function silent(port: number, localAddress: string): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", localAddress });
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket;
}

const ask = (port: number, localAddress: string) =>
  new Promise<number | undefined>((resolve, reject) => {
    get({ port, host: "127.0.0.1", localAddress, agent: false }, (response) => {
      response.resume();
      response.on("end", () => resolve(response.statusCode));
    }).on("error", reject);
  });

test("whoever fills the server loses his oldest connections, and others are answered", async (t) => {
  const port = await startServer(t);
  const greedy: Socket[] = [];
  for (let count = 0; count < LIMIT; count++) greedy.push(await silent(port, "127.0.0.2"));
  const [first, second] = greedy as [Socket, Socket];
  const cut = once(first, "close");
  assert.equal(await ask(port, "127.0.0.1"), 200);
  await cut;
  assert.equal(second.destroyed, false);
  for (const socket of greedy) socket.destroy();
});

test("a connection of a modest peer stays through a flood of another", async (t) => {
  const port = await startServer(t);
  const modest = await silent(port, "127.0.0.1");
  const flood = await Promise.all(Array.from({ length: 100 }, () => silent(port, "127.0.0.2")));
  assert.equal(await ask(port, "127.0.0.3"), 200);
  modest.write("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
  const [answer] = (await once(modest, "data")) as [Buffer];
  assert.match(answer.toString("latin1"), /^HTTP\/1\.1 200 /);
  await until("all but the limit are cut", () => flood.filter((socket) => !socket.destroyed).length <= LIMIT);
  for (const socket of [modest, ...flood]) socket.destroy();
});

test("connections that end make room without anybody being cut", async (t) => {
  const port = await startServer(t);
  for (let round = 0; round < 5; round++) {
    const sockets = await Promise.all(Array.from({ length: LIMIT }, () => silent(port, "127.0.0.2")));
    const ended = sockets.map((socket) => {
      socket.resume();
      socket.end();
      return once(socket, "close");
    });
    await Promise.all(ended);
  }
  assert.equal(await ask(port, "127.0.0.2"), 200);
});
