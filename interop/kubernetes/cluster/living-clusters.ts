import { readdirSync, readFileSync } from "node:fs";
import { clusterLayout } from "./layout.ts";
import { readState, supervisorLives } from "./state.ts";

export interface LivingCluster {
  readonly name: string;
  readonly directory: string;
  /** Process id of its supervisor. */
  readonly supervisor: number;
}

/** Every cluster whose supervisor lives on this machine. */
export function livingClusters(): readonly LivingCluster[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      const directory = supervisedDirectory(commandLine(pid));
      if (directory === undefined) return [];
      try {
        const state = readState(clusterLayout(directory).state);
        if (state === undefined || state.supervisor.pid !== Number(pid) || !supervisorLives(state)) return [];
        return [{ name: state.name, directory, supervisor: Number(pid) }];
      } catch {
        return [];
      }
    });
}

/** The cluster's directory, if the arguments are those of a supervisor. */
export function supervisedDirectory(argv: readonly string[]): string | undefined {
  const program = argv.findIndex((argument) => argument.endsWith("/cluster/supervisor.ts"));
  return program < 1 ? undefined : argv[program + 1];
}

function commandLine(pid: string): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    return [];
  }
}
