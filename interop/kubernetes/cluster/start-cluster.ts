import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type AttachedCluster, attachCluster } from "./attached-cluster.ts";
import { removeCgroupTree } from "./cgroups.ts";
import type { Cluster, ClusterOptions } from "./cluster.ts";
import { makeClusterDirectory } from "./cluster-directory.ts";
import { ClusterError, messageOf } from "./errors.ts";
import { type ClusterLayout, cgroupTree, clusterLayout } from "./layout.ts";
import { logTail } from "./log-tail.ts";
import { checkNodes } from "./node-syntax.ts";
import { missingPrograms } from "./prerequisites.ts";
import { checkName, type SupervisorOptions } from "./running-cluster.ts";
import { startLock } from "./start-lock.ts";
import { readState, supervisorLives } from "./state.ts";

const SUPERVISOR = fileURLToPath(new URL("supervisor.ts", import.meta.url));
const JANITOR_PAUSE_MS = 300;
const SUPERVISOR_PATIENCE_MS = 20_000;

/** A cluster that lives as long as this process: should this process be killed, nothing of the cluster stays. */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  return await launch(options, true);
}

/** A cluster that runs until somebody takes it down. */
export async function startPersistentCluster(options: ClusterOptions): Promise<AttachedCluster> {
  return await launch(options, false);
}

/** Takes down whatever cluster is or was in `directory`; nothing happens if there is none. Tells whether there was one. */
export async function downCluster(directory: string, log: (line: string) => void): Promise<boolean> {
  const layout = clusterLayout(resolve(directory));
  const state = readState(layout.state);
  if (state === undefined) return false;
  if (supervisorLives(state)) {
    const cluster = await attachCluster(layout.directory, log);
    await cluster.down();
  } else {
    await removeStale(layout, state.name, log);
  }
  return true;
}

/** One start at a time: two of one name, or in one directory, would take each other's files and leave a supervisor that nobody finds. */
async function launch(options: ClusterOptions, leash: boolean): Promise<AttachedCluster> {
  const release = await startLock([`name ${options.name}`, `directory ${resolve(options.directory)}`]);
  try {
    return await launchAlone(options, leash);
  } finally {
    release();
  }
}

async function launchAlone(options: ClusterOptions, leash: boolean): Promise<AttachedCluster> {
  if (process.getuid?.() !== 0)
    throw new ClusterError("NOT_ROOT", "a cluster needs root: namespaces, mounts, device nodes");
  const missing = missingPrograms((path) => existsSync(path), process.env.PATH ?? "");
  if (missing.length > 0) throw new ClusterError("PROGRAM_MISSING", missing.join("\n"));
  for (const name of [options.name, ...options.nodes.map((node) => node.name)]) checkName(name);
  checkNodes(options.nodes);
  if (!existsSync(join(options.binaries, "kube-apiserver"))) {
    throw new ClusterError(
      "PROGRAM_MISSING",
      `${options.binaries} holds no Kubernetes: there is no kube-apiserver in it`,
    );
  }
  const layout = makeClusterDirectory(options.directory);
  const state = readState(layout.state);
  if (state !== undefined && supervisorLives(state)) {
    throw new ClusterError("ALREADY_RUNNING", `the cluster "${state.name}" is running in ${layout.directory}`);
  }
  if (state !== undefined) await removeStale(layout, state.name, options.log);
  const left = await removeCgroupTree(cgroupTree(options.name), 1000);
  if (left.length > 0) {
    throw new ClusterError("ALREADY_RUNNING", `a cluster "${options.name}" is running elsewhere: ${left[0]} is in use`);
  }
  rmSync(layout.logs, { recursive: true, force: true });
  mkdirSync(layout.logs, { recursive: true });
  const { name, nodes } = options;
  const told: SupervisorOptions = {
    name,
    nodes,
    binaries: resolve(options.binaries),
    pauseImage: resolve(options.pauseImage),
    ...(options.featureGates === undefined ? {} : { featureGates: options.featureGates }),
    ...(options.dnsProgram === undefined ? {} : { dnsProgram: resolve(options.dnsProgram) }),
  };
  writeFileSync(layout.options, JSON.stringify(told, null, 2));
  const supervisor = spawnSupervisor(layout, leash);
  try {
    const cluster = await attachWhenThere(layout, supervisor, options.log);
    await cluster.ready();
    return cluster;
  } catch (error) {
    // The logs stay and the message has their end; everything else goes.
    await downCluster(layout.directory, () => {}).catch(() => {});
    throw error;
  }
}

function spawnSupervisor(layout: ClusterLayout, leash: boolean): ChildProcess {
  const log = openSync(join(layout.logs, "supervisor.log"), "a");
  const argv = ["--disable-sigusr1", SUPERVISOR, layout.directory, ...(leash ? ["--leash"] : [])];
  const child = spawn(process.execPath, argv, { detached: true, stdio: [leash ? "pipe" : "ignore", log, log] });
  closeSync(log);
  child.unref();
  (child.stdin as (typeof child.stdin & { unref?(): void }) | null)?.unref?.();
  child.stdin?.on("error", () => {});
  return child;
}

async function attachWhenThere(
  layout: ClusterLayout,
  supervisor: ChildProcess,
  log: (line: string) => void,
): Promise<AttachedCluster> {
  const begun = performance.now();
  for (;;) {
    try {
      return await attachCluster(layout.directory, log);
    } catch (error) {
      const ended = supervisor.exitCode !== null || supervisor.signalCode !== null;
      if (ended || performance.now() - begun > SUPERVISOR_PATIENCE_MS) {
        const tail = logTail(join(layout.logs, "supervisor.log"), 4096);
        throw new ClusterError("COMPONENT_FAILED", `the supervisor did not start: ${messageOf(error)}\n${tail}`);
      }
    }
    await sleep(20);
  }
}

/** What a supervisor leaves that was killed before it could tidy up: cgroups and files. Processes and mounts are gone with it. */
async function removeStale(layout: ClusterLayout, name: string, log: (line: string) => void): Promise<void> {
  log(`a cluster "${name}" ended without tidying up in ${layout.directory}: removing what it left`);
  const left = await removeCgroupTree(cgroupTree(name));
  if (left.length > 0) log(`cgroups that could not be removed: ${left.join(", ")}`);
  // A janitor that looked a moment ago looks once more: it must find nothing, not the next cluster's tree.
  await sleep(JANITOR_PAUSE_MS);
  for (const path of [layout.machines, layout.pki, layout.kubeconfig, layout.control, layout.options, layout.state]) {
    rmSync(path, { recursive: true, force: true });
  }
}
