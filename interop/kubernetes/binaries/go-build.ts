import { spawn } from "node:child_process";

export interface GoBuildProgress {
  /** Packages compiled by this run; those in Go's own cache do not count. */
  readonly compiled: number;
  readonly downloaded: number;
}

/**
 * Runs `go ARGS` (which must contain `-v`) in a process group of its own and reports what it has done. Rejects with the end
 * of what it said when it fails, and ends the whole group when `signal` aborts.
 */
export function goBuild(options: {
  readonly args: readonly string[];
  readonly directory: string;
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal | undefined;
  progress(progress: GoBuildProgress): void;
}): Promise<void> {
  const { args, directory, env, signal } = options;
  return new Promise((resolve, reject) => {
    const child = spawn("go", args, { cwd: directory, env, stdio: ["ignore", "ignore", "pipe"], detached: true });
    let compiled = 0;
    let downloaded = 0;
    let unfinished = "";
    const words: string[] = [];
    const readLine = (line: string): void => {
      if (line.startsWith("go: downloading ")) downloaded += 1;
      else if (/^[\w.~/-]+$/.test(line)) compiled += 1;
      else {
        words.push(line);
        if (words.length > 40) words.shift();
        return;
      }
      options.progress({ compiled, downloaded });
    };
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      const lines = (unfinished + chunk).split("\n");
      unfinished = lines.pop() ?? "";
      for (const line of lines) readLine(line);
    });
    const end = (): void => {
      // Compilers and linkers are children of its children.
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGTERM");
    };
    signal?.addEventListener("abort", end, { once: true });
    child.once("error", reject);
    child.once("close", (code, killedBy) => {
      signal?.removeEventListener("abort", end);
      if (signal?.aborted) reject(signal.reason);
      else if (code === 0) resolve();
      else reject(new Error(`go build: ${killedBy ?? `exit ${code}`}\n${[...words, unfinished].join("\n").trim()}`));
    });
    if (signal?.aborted) end();
  });
}
