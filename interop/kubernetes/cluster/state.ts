import { readFileSync, renameSync, writeFileSync } from "node:fs";
import type { NodeOptions } from "./cluster.ts";
import { startTime } from "./namespaces.ts";

/** What the supervisor tells everybody about the cluster, in `state.json`. */
export interface ClusterState {
  readonly name: string;
  readonly phase: "starting" | "up" | "failed";
  readonly supervisor: { readonly pid: number; readonly startTime: string };
  /** First process of the outermost namespaces. */
  readonly outer: number;
  /** First process of each machine, the control plane's included. */
  readonly machines: Readonly<Record<string, MachineState>>;
  /** `MACHINE/PROGRAM` → process id, 0 when it is not running. */
  readonly services: Readonly<Record<string, number>>;
  readonly timeline: readonly { readonly step: string; readonly ms: number }[];
  readonly binaries: string;
}

export interface MachineState {
  readonly init: number;
  readonly address: string;
  /** Absent for the control plane. */
  readonly node?: NodeOptions;
}

export function readState(path: string): ClusterState | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as ClusterState;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

export function writeState(path: string, state: ClusterState): void {
  writeFileSync(`${path}.new`, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** Whether the supervisor that wrote this state still lives. */
export function supervisorLives(state: ClusterState): boolean {
  return startTime(state.supervisor.pid) === state.supervisor.startTime;
}
