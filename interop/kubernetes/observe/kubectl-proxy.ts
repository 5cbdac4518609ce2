import { readdirSync, readFileSync } from "node:fs";
import { expect } from "../../check.ts";
import type { ClusterNode } from "../cluster/cluster.ts";
import { ApiClient } from "./api-client.ts";
import { until } from "./until.ts";

export interface ServedApi {
  readonly api: ApiClient;
  stop(): void;
}

let served = 0;

/**
 * `kubectl proxy` on a node, as whoever the kubeconfig (its text) says, listening on a Unix socket there. From outside
 * the socket is reached through the process that listens on it.
 */
export async function serveApi(node: ClusterNode, kubeconfig: string): Promise<ServedApi> {
  const name = `/tmp/checks-${process.pid}-${++served}`;
  const socket = `${name}.sock`;
  await node.exec(["sh", "-c", `umask 077; cat > ${name}.conf`], { input: kubeconfig });
  const proxy = node.spawn(["kubectl", `--kubeconfig=${name}.conf`, "proxy", `--unix-socket=${socket}`]);
  let said = "";
  for (const stream of [proxy.stdout, proxy.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-2000);
    });
  }
  const { value } = await until("kubectl proxy answers", 15_000, async () => {
    expect(proxy.exitCode === null, `it ended: ${said}`);
    const pid = listener(socket);
    const api = new ApiClient(`/proc/${pid}/root${socket}`);
    await api.send("GET", "/version");
    return { api, pid };
  });
  return {
    api: value.api,
    stop() {
      // The process that was spawned waits for the one in the node's namespaces.
      process.kill(value.pid, "SIGTERM");
    },
  };
}

/** The process that was started for this socket, and not those that started it. */
function listener(socket: string): number {
  const argument = `--unix-socket=${socket}`;
  const pid = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .find((pid) => {
      const argv = commandLine(pid);
      return argv[0]?.endsWith("kubectl") === true && argv.includes(argument);
    });
  if (pid === undefined) throw new Error("it has not started yet");
  return pid;
}

function commandLine(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    return [];
  }
}
