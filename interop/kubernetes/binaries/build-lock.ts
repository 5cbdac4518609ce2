import { spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** Exit status of flock(1) when somebody else holds the lock. */
const TAKEN = 75;
const RETRY_MS = 500;

/**
 * Runs `work` while holding the lock file. The lock is the kernel's (flock), held by a child that ends with its standard
 * input: whoever dies, even by SIGKILL, gives it back. `done` is asked before each attempt: a value means that somebody
 * else did the work meanwhile.
 */
export async function withBuildLock<T>(
  file: string,
  options: { waiting(): void; done(): Promise<T | undefined>; signal: AbortSignal | undefined },
  work: () => Promise<T>,
): Promise<T> {
  await mkdir(dirname(file), { recursive: true });
  for (let attempt = 0; ; attempt += 1) {
    options.signal?.throwIfAborted();
    const release = await tryLock(file);
    try {
      // Asked under the lock too: the last holder may have finished between the question and the lock.
      const others = await options.done();
      if (others !== undefined) return others;
      if (release !== undefined) return await work();
    } finally {
      release?.();
    }
    if (attempt === 0) options.waiting();
    await sleep(RETRY_MS, undefined, options.signal === undefined ? {} : { signal: options.signal });
  }
}

/** Gives the function that releases the lock; undefined when it is taken. */
function tryLock(file: string): Promise<(() => void) | undefined> {
  return new Promise((resolve, reject) => {
    const args = [
      "--exclusive",
      "--nonblock",
      "--conflict-exit-code",
      String(TAKEN),
      file,
      "-c",
      "echo held; exec cat",
    ];
    const holder = spawn("flock", args, { stdio: ["pipe", "pipe", "inherit"] });
    holder.stdin.on("error", () => undefined);
    holder.stdout.once("data", () => resolve(() => holder.stdin.end()));
    holder.once("error", (error: NodeJS.ErrnoException) => {
      reject(error.code === "ENOENT" ? new Error("flock is not installed: apt-get install util-linux") : error);
    });
    holder.once("exit", (code) => {
      if (code === TAKEN) resolve(undefined);
      else reject(new Error(`flock ${file}: exit ${code}`));
    });
  });
}
