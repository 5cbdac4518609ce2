import assert from "node:assert/strict";
import fs from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { create } from "@bufbuild/protobuf";
import { Server, ServerCredentials, type ServiceError, status } from "@grpc/grpc-js";
import {
  type ListPodResourcesResponse,
  ListPodResourcesResponseSchema,
} from "../device-plugin/api/generated/pod-resources_pb.ts";
import { POD_RESOURCES_SERVICE } from "../device-plugin/api/services.ts";
import { PodResourcesClient, type PodResourcesClientOptions } from "./pod-resources-client.ts";

const EPC = "kubernetes.azure.com/sgx_epc_mem_in_MiB";
const clock = { now: () => Date.now() };

type Answer = (reply: (error: Partial<ServiceError> | null, response?: ListPodResourcesResponse) => void) => void;

const holding = (...deviceIds: readonly string[]) =>
  create(ListPodResourcesResponseSchema, {
    podResources: [
      {
        name: "app",
        namespace: "shop",
        containers: [{ name: "c", devices: [{ resourceName: EPC, deviceIds: [...deviceIds] }] }],
      },
    ],
  });

async function kubelet(socketPath: string, answer: Answer): Promise<Server> {
  const server = new Server();
  server.addService(POD_RESOURCES_SERVICE, { list: (_call: unknown, reply: Parameters<Answer>[0]) => answer(reply) });
  await new Promise<void>((resolve, reject) =>
    server.bindAsync(`unix:${socketPath}`, ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    ),
  );
  return server;
}

async function asking(
  body: (client: PodResourcesClient, socketPath: string) => Promise<void>,
  options: Partial<PodResourcesClientOptions> = {},
): Promise<void> {
  const directory = fs.mkdtempSync(join(tmpdir(), "confcom-pods-"));
  const socketPath = join(directory, "kubelet.sock");
  const client = new PodResourcesClient({ socketPath, clock, ...options });
  try {
    await body(client, socketPath);
  } finally {
    client.close();
    fs.rmSync(directory, { recursive: true });
  }
}

const unreachable = (message: RegExp) => ({ code: "POD_RESOURCES_UNREACHABLE", message });

describe("asking the kubelet what its containers hold", () => {
  it("the allocations of our resources", () =>
    asking(async (client, socketPath) => {
      const server = await kubelet(socketPath, (reply) => reply(null, holding("A", "B", "A")));
      assert.deepEqual(await client.list(), [
        { namespace: "shop", pod: "app", container: "c", resource: EPC, ids: ["A", "B"] },
      ]);
      server.forceShutdown();
    }));

  it("a kubelet that is not there is a state, and is found as soon as it is there", () =>
    asking(async (client, socketPath) => {
      const answer = await client.ask();
      assert.equal(answer.reached, false);
      assert.match(answer.reached ? "" : answer.error.message, /kubelet\.sock gave no list.*nobody answers there/);
      const server = await kubelet(socketPath, (reply) => reply(null, holding("C")));
      assert.deepEqual((await client.list())[0]?.ids, ["C"]);
      server.forceShutdown();
    }));

  it("a kubelet that was restarted is found again", () =>
    asking(async (client, socketPath) => {
      const first = await kubelet(socketPath, (reply) => reply(null, holding("A")));
      await client.list();
      first.forceShutdown();
      fs.rmSync(socketPath, { force: true });
      await assert.rejects(client.list(), { code: "POD_RESOURCES_UNREACHABLE" });
      const second = await kubelet(socketPath, (reply) => reply(null, holding("B")));
      assert.deepEqual((await client.list())[0]?.ids, ["B"]);
      second.forceShutdown();
    }));

  it("a kubelet that does not answer is given up after the time set", () =>
    asking(
      async (client, socketPath) => {
        const server = await kubelet(socketPath, () => undefined);
        await assert.rejects(client.list(), unreachable(/no answer within 100 ms/));
        server.forceShutdown();
      },
      { deadlineMs: 100 },
    ));

  it("something else that listens there, and says nothing, is given up too", () =>
    asking(
      async (client, socketPath) => {
        const connections = new Set<net.Socket>();
        const server = net.createServer((socket) => connections.add(socket));
        await new Promise<void>((resolve) => server.listen(socketPath, resolve));
        await assert.rejects(client.list(), unreachable(/no answer within 100 ms/));
        for (const socket of connections) socket.destroy();
        await new Promise((resolve) => server.close(resolve));
      },
      { deadlineMs: 100 },
    ));

  it("an answer beyond the limit is refused", () =>
    asking(
      async (client, socketPath) => {
        const server = await kubelet(socketPath, (reply) => reply(null, holding("x".repeat(2000))));
        await assert.rejects(client.list(), unreachable(/larger than max/));
        server.forceShutdown();
      },
      { maxAnswer: 1000 },
    ));

  it("the kubelet's own refusals are told in its words", () =>
    asking(async (client, socketPath) => {
      const details = "rejected by rate limit";
      const server = await kubelet(socketPath, (reply) => reply({ code: status.RESOURCE_EXHAUSTED, details }));
      await assert.rejects(client.list(), unreachable(/rejected by rate limit/));
      server.forceShutdown();
    }));

  it("may be asked again after close", () =>
    asking(async (client, socketPath) => {
      const server = await kubelet(socketPath, (reply) => reply(null, holding("A")));
      await client.list();
      client.close();
      client.close();
      assert.equal((await client.ask()).reached, true);
      server.forceShutdown();
    }));
});
