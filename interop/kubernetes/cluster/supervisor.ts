import { readFileSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import process from "node:process";
import { startJanitor } from "./cgroup-janitor.ts";
import { type ControlRequest, receiveLines, sendLine } from "./control-protocol.ts";
import { ClusterError, messageOf } from "./errors.ts";
import { cgroupTree, clusterLayout } from "./layout.ts";
import { startTime } from "./namespaces.ts";
import { RunningCluster, type SupervisorOptions } from "./running-cluster.ts";
import { type ClusterState, writeState } from "./state.ts";

// The process that owns a cluster: `supervisor.ts DIRECTORY [--leash]`. It lives in a session of its own, so it outlives the
// harness long enough to remove what outlives processes. With --leash it takes the cluster down when its standard input ends.
// Should it be killed itself, the kernel ends everything that it started (parent death signals and PID namespaces).

const directory = process.argv[2] ?? "";
const leash = process.argv.includes("--leash");
const layout = clusterLayout(directory);
const options = JSON.parse(readFileSync(layout.options, "utf8")) as SupervisorOptions;
const janitor = startJanitor(cgroupTree(options.name));
const listeners = new Set<Socket>();
let phase: ClusterState["phase"] = "starting";
let ending: Promise<void> | undefined;

const log = (line: string) => {
  process.stdout.write(`${new Date().toISOString()} ${line}\n`);
  for (const socket of listeners) sendLine(socket, { line });
};

const publish = () => {
  if (ending !== undefined) return;
  const supervisor = { pid: process.pid, startTime: startTime(process.pid) ?? "" };
  writeState(layout.state, { name: options.name, binaries: options.binaries, phase, supervisor, ...cluster.state() });
};

const cluster = new RunningCluster(directory, options, log, publish);
rmSync(layout.control, { force: true });
publish();

const server = createServer((socket) => {
  listeners.add(socket);
  socket.once("close", () => listeners.delete(socket));
  receiveLines<ControlRequest & { id: number }>(socket, (request) => {
    handle(request).then(
      () => sendLine(socket, { id: request.id, ok: true }),
      (error: unknown) => {
        const code = error instanceof ClusterError ? error.code : "COMPONENT_FAILED";
        sendLine(socket, { id: request.id, ok: false, code, message: messageOf(error) });
      },
    );
  });
});
server.listen(layout.control);

const up = cluster.up().then(
  () => {
    phase = "up";
    publish();
    cluster.ended.then(() => down("its namespaces ended"));
  },
  (error: unknown) => {
    phase = "failed";
    publish();
    log(`the cluster did not come up: ${messageOf(error)}`);
    throw error;
  },
);
up.catch(() => {});

async function handle(request: ControlRequest): Promise<void> {
  switch (request.method) {
    case "ready":
      return await up;
    case "start":
      return await cluster.startProgram(request.service);
    case "stop":
      return await cluster.program(request.service).stop();
    case "kill9":
      return await cluster.program(request.service).kill9();
    case "restart":
      await cluster.program(request.service).stop();
      return await cluster.startProgram(request.service);
    case "addNode":
      await cluster.addNode(request.node);
      return publish();
    case "down":
      return await down("asked to");
  }
}

function down(why: string): Promise<void> {
  ending ??= (async () => {
    log(`taking the cluster down: ${why}`);
    cluster.kill();
    await up.catch(() => {});
    await cluster.down();
    janitor.dismiss();
    for (const file of [layout.state, layout.options, layout.control]) rmSync(file, { force: true });
    log("the cluster is down");
    // The answer to whoever asked goes out first.
    setTimeout(() => process.exit(0), 50);
  })();
  return ending;
}

process.on("uncaughtException", (error) => {
  log(`unexpected: ${error.stack ?? messageOf(error)}`);
  void down("an unexpected error");
});
for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => void down(signal));
process.on("SIGHUP", () => {});
if (leash) {
  process.stdin.resume();
  process.stdin.once("end", () => void down("whoever started it is gone"));
  process.stdin.once("error", () => void down("whoever started it is gone"));
}
