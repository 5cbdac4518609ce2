import { spawn } from "node:child_process";

/**
 * Runs a program that must succeed and gives its standard output. One that is not installed is an error that says how to
 * get it (`wayOut`); one that fails is an error with the end of what it said.
 */
export function runProgram(
  command: string,
  args: readonly string[],
  options: { readonly wayOut: string; readonly cwd?: string },
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], cwd: options.cwd });
    const stdout: Buffer[] = [];
    let words = "";
    child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      words = (words + chunk).slice(-2000);
    });
    child.once("error", (error: NodeJS.ErrnoException) => {
      const message = error.code === "ENOENT" ? `${command} is not installed: ${options.wayOut}` : error.message;
      reject(new Error(message, { cause: error }));
    });
    child.once("close", (code, signal) => {
      if (code === 0) resolve(Buffer.concat(stdout).toString("utf8"));
      else {
        const end = words.trim().replaceAll(/\s*\n\s*/g, " | ");
        reject(new Error(`${command} ${args.slice(0, 4).join(" ")}: ${signal ?? `exit ${code}`}: ${end}`));
      }
    });
  });
}
