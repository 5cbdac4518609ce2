import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Since this release an installed Go fetches the newer one that a go.mod asks for, unless told not to. */
const OLDEST_THAT_SWITCHES = [1, 21] as const;

/**
 * The version of the Go that will build the module in `directory`, such as `go1.24.13`. An installed Go that is older than
 * `needed` is good enough if it may fetch a newer toolchain from the Go module proxy. Otherwise an error that says what to install.
 */
export async function goToolchain(directory: string, needed: string, env: NodeJS.ProcessEnv): Promise<string> {
  const wayOut = `install Go ${needed} or newer, or any Go from ${OLDEST_THAT_SWITCHES.join(".")} with GOTOOLCHAIN=auto (it fetches the rest); on Debian 12: golang-1.23-go from bookworm-backports`;
  const installed = await installedGo(env, wayOut);
  if (!isAtLeast(installed, OLDEST_THAT_SWITCHES)) {
    throw new Error(`Go ${installed} is too old to build Kubernetes: ${wayOut}`);
  }
  try {
    const { stdout } = await run("go", ["env", "GOVERSION"], { cwd: directory, env });
    return stdout.trim();
  } catch (cause) {
    const { stderr = "" } = cause as { stderr?: string };
    throw new Error(`Go ${installed} cannot build Kubernetes: ${stderr.trim()}: ${wayOut}`, { cause });
  }
}

/** Asked outside any module: a go.mod that is newer than the installed Go would be an error of its own. */
async function installedGo(env: NodeJS.ProcessEnv, wayOut: string): Promise<string> {
  try {
    const { stdout } = await run("go", ["version"], { cwd: "/", env: { ...env, GOTOOLCHAIN: "local" } });
    return /\bgo(\d+\.\d+[^\s]*)/.exec(stdout)?.[1] ?? stdout.trim();
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === "ENOENT";
    const what = missing ? "Go is not installed (no go on the path)" : `go version: ${(cause as Error).message.trim()}`;
    throw new Error(`${what}: ${wayOut}`, { cause });
  }
}

function isAtLeast(version: string, [major, minor]: readonly [number, number]): boolean {
  const [a = 0, b = 0] = version.split(".").map((part) => Number.parseInt(part, 10));
  return a > major || (a === major && b >= minor);
}
