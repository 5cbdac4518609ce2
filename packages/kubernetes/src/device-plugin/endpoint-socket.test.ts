import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { Server } from "@grpc/grpc-js";
import { KubernetesError } from "../errors.ts";
import { EndpointSocket } from "./endpoint-socket.ts";

let directory: string;
let servers: Server[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "confcom-socket-"));
  servers = [];
});

afterEach(() => {
  for (const server of servers) server.forceShutdown();
  rmSync(directory, { recursive: true, force: true });
});

function bind(endpoint = "confcom-epc.sock"): Promise<EndpointSocket> {
  const server = new Server();
  servers.push(server);
  return EndpointSocket.bind(server, directory, endpoint, Math.random);
}

function accepts(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => resolve(true)).on("error", () => resolve(false));
    socket.on("connect", () => socket.destroy());
  });
}

test("a bound endpoint answers and is alone in the directory", async () => {
  const socket = await bind();
  assert.equal(await socket.owner(), "ours");
  assert.equal(await accepts(socket.path), true);
  assert.deepEqual(readdirSync(directory), ["confcom-epc.sock"]);
});

test("the last one bound has the endpoint, and it answers all the time", async () => {
  const first = await bind();
  const second = await bind();
  assert.equal(await first.owner(), "another");
  assert.equal(await second.owner(), "ours");
  assert.equal(await accepts(second.path), true);
});

test("removing takes only the own socket away", async () => {
  const first = await bind();
  const second = await bind();
  await first.remove();
  assert.equal(existsSync(second.path), true);
  await second.remove();
  assert.equal(existsSync(second.path), false);
  assert.equal(await second.owner(), "nobody");
  await second.remove();
});

test("a server that is shut down takes no file along", async () => {
  const first = await bind();
  servers[0]?.forceShutdown();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(existsSync(first.path), true);
});

test("a socket that was moved away and back is still its own", async () => {
  const socket = await bind();
  renameSync(socket.path, `${socket.path}.away`);
  assert.equal(await socket.owner(), "nobody");
  renameSync(`${socket.path}.away`, socket.path);
  assert.equal(await socket.owner(), "ours");
});

test("a directory that is missing, and a path that is too long, are named", async () => {
  await assert.rejects(bind(`${"x".repeat(110)}.sock`), (error: KubernetesError) => {
    assert.equal(error.code, "ENDPOINT_UNUSABLE");
    return true;
  });
  rmSync(directory, { recursive: true });
  await assert.rejects(bind(), (error: unknown) => {
    assert.ok(error instanceof KubernetesError);
    assert.equal(error.code, "ENDPOINT_UNUSABLE");
    assert.match(error.message, /confcom-epc\.sock could not be made: ENOENT/);
    return true;
  });
});
