import type { ChildProcess } from "node:child_process";

/** Holds the number of the write at which the command is killed, 1 for the first. */
export const KILL_AT_WRITE = "CHECKS_KILL_AT_WRITE";

/** What makes a command of Node's end with SIGKILL at its n-th write to the API server; dry runs are no writes. */
export function killAtWrite(n: number): Readonly<Record<string, string>> {
  return { NODE_OPTIONS: `--import=${new URL("kill-at-write.ts", import.meta.url)}`, [KILL_AT_WRITE]: String(n) };
}

/** Waits for the command to be killed. Throws with what it said where it ended by itself. */
export async function killed(command: ChildProcess): Promise<void> {
  let said = "";
  command.stdin?.end();
  command.stdout?.resume();
  command.stderr?.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-2000);
  });
  const signal = await new Promise((resolve) => command.on("close", (_, by) => resolve(by)));
  if (signal !== "SIGKILL") throw new Error(`it was not killed: ${said}`);
}
