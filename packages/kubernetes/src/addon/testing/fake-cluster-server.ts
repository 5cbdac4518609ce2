import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { ApiConnection } from "../access/http-cluster-access.ts";
import type { FakeCluster } from "./fake-cluster.ts";

/** The fake without a network between. */
export function directConnection(cluster: FakeCluster): ApiConnection {
  return {
    // As a server gives it: a copy.
    async call(method, path, content) {
      const body = content === undefined ? undefined : structuredClone(content.body);
      return structuredClone(cluster.call(method, path, body, content?.type));
    },
  };
}

export interface ServedCluster {
  /** A kubeconfig with the contexts `first` and `second`, both of this cluster. */
  readonly kubeconfig: string;
  /** What clients sent as `authorization`, without repetitions. */
  readonly tokens: Set<string>;
  /** Connections that were made so far. */
  connections(): number;
  close(): Promise<void>;
}

/** The fake behind HTTP on this machine, for clients that take a kubeconfig. */
export async function serveCluster(cluster: FakeCluster, user: object = { token: "a-token" }): Promise<ServedCluster> {
  const tokens = new Set<string>();
  const server = createServer(async (request, response) => {
    tokens.add(request.headers.authorization ?? "none");
    const text = await textOf(request);
    const body: unknown = text === "" ? undefined : JSON.parse(text);
    const answer = cluster.call(request.method ?? "", request.url ?? "", body, request.headers["content-type"]);
    response.writeHead(answer.status, { "content-type": "application/json" }).end(JSON.stringify(answer.body));
  });
  let connections = 0;
  server.on("connection", () => {
    connections++;
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const kubeconfig = JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "fake", cluster: { server: `http://127.0.0.1:${port}`, "insecure-skip-tls-verify": true } }],
    users: [{ name: "administrator", user }],
    contexts: ["first", "second"].map((name) => ({ name, context: { cluster: "fake", user: "administrator" } })),
    "current-context": "first",
  });
  return {
    kubeconfig,
    tokens,
    connections: () => connections,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) text += chunk;
  return text;
}
