import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { ClusterError } from "./errors.ts";

/** Ends with whoever started it, even if that one is killed. */
const TIED = ["--pdeathsig", "KILL", "--"];
const OWN_NAMESPACES = ["--mount", "--net", "--pid", "--uts", "--ipc", "--fork", "--kill-child"];

export const MACHINE_ENVIRONMENT = {
  PATH: "/opt/kubernetes/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  HOME: "/root",
  LANG: "C.UTF-8",
} as const;

/** The first process of a PID namespace, as this machine numbers it. */
export interface NamespaceInit {
  readonly pid: number;
  readonly process: ChildProcess;
  readonly ended: Promise<void>;
}

/**
 * Starts the shell script in the file `script` as the first process of new mount, network, PID, UTS and IPC namespaces (inside those of `outer`, if given)
 * and waits until it prints `ready`.
 */
export async function startNamespace(script: string, outer?: number): Promise<NamespaceInit> {
  const unshare = ["unshare", ...OWN_NAMESPACES, "sh", script];
  const argv = outer === undefined ? unshare : ["nsenter", ...enterAll(outer), "--", ...unshare];
  const child = spawn("setpriv", [...TIED, ...argv], { stdio: ["ignore", "pipe", "pipe"], env: MACHINE_ENVIRONMENT });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  let said = "";
  await new Promise<void>((resolve, reject) => {
    const failed = (why: string) =>
      reject(new ClusterError("COMPONENT_FAILED", `namespaces could not be set up: ${why}\n${said.trim()}`));
    child.once("error", (error) => failed(error.message));
    child.once("close", (code, signal) => failed(`the first process ended with ${code ?? signal}`));
    child.stderr?.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
    child.stdout?.on("data", (chunk: Buffer) => {
      if (chunk.toString().includes("ready")) resolve();
    });
  });
  // setpriv and nsenter become what they start; nsenter (into a PID namespace) and unshare each fork once.
  const forks = outer === undefined ? 1 : 2;
  let pid = child.pid ?? 0;
  for (let fork = 0; fork < forks; fork++) pid = childrenOf(pid)[0] ?? 0;
  if (pid === 0) throw new ClusterError("COMPONENT_FAILED", "the first process of a namespace is gone");
  return { pid, process: child, ended };
}

/** The command line that runs `argv` in every namespace of the machine whose first process is `init`. */
export function enterMachine(init: number, argv: readonly string[]): readonly string[] {
  return ["nsenter", ...enterAll(init), "--", ...argv];
}

/** The command line that runs `argv` with this machine's files in the network namespace of `init`. */
export function enterNetwork(init: number, argv: readonly string[]): readonly string[] {
  return ["nsenter", "-t", String(init), "-n", "--", ...argv];
}

function enterAll(pid: number): string[] {
  return ["-t", String(pid), "-m", "-u", "-i", "-n", "-p"];
}

/** Starts a program in every namespace of the machine whose first process is `init`. */
export function spawnInMachine(
  init: number,
  argv: readonly string[],
  options: { stdio: StdioOptions; tied: boolean; env?: NodeJS.ProcessEnv },
): ChildProcess {
  // Whoever kills the enterer means the program: it must not stay behind in the machine.
  const enter = enterMachine(init, ["setpriv", ...TIED, ...argv]);
  const env = { ...MACHINE_ENVIRONMENT, ...options.env };
  return options.tied
    ? spawn("setpriv", [...TIED, ...enter], { stdio: options.stdio, env })
    : spawn("nsenter", enter.slice(1), { stdio: options.stdio, env });
}

/** The same for a program that its starter talks to: `kill` reaches the program itself, not the one that enters the machine for it. */
export function spawnForUser(init: number, argv: readonly string[]): ChildProcess {
  const child = spawnInMachine(init, argv, { stdio: "pipe", tied: true });
  const killEnterer = child.kill.bind(child);
  child.kill = (signal?: number | NodeJS.Signals) => {
    const [program] = childrenOf(child.pid ?? 0);
    if (program === undefined || child.exitCode !== null || child.signalCode !== null) return killEnterer(signal);
    try {
      return process.kill(program, signal ?? "SIGTERM");
    } catch {
      return false;
    }
  };
  return child;
}

/** Process ids of the children of `pid`, empty if there are none or no such process. */
export function childrenOf(pid: number): readonly number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
    return text === "" ? [] : text.split(" ").map(Number);
  } catch {
    return [];
  }
}

/** A process id together with the time of its start names a process for good; the id alone may be another's later. */
export function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
