import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Since this release an installed Go fetches the newer one that a go.mod asks for, unless told not to. */
const OLDEST_THAT_SWITCHES = "1.21";

/**
 * The version of the Go that will build the module in `directory`, such as `go1.24.13`. An installed Go that is older than
 * `needed` is good enough if it may fetch a newer toolchain from the Go module proxy. Otherwise an error that says what to install.
 */
export async function goToolchain(directory: string, needed: string, env: NodeJS.ProcessEnv): Promise<string> {
  const wayOut = `install Go ${needed} or newer, or any Go from ${OLDEST_THAT_SWITCHES} on with GOTOOLCHAIN=auto (it fetches the rest); on Debian 12: golang-1.23-go from bookworm-backports`;
  const installed = await ask(["version"], "/", { ...env, GOTOOLCHAIN: "local" }, wayOut);
  // Older ones do not understand the go.mod, and say so in many ways.
  if (!isAtLeast(installed, OLDEST_THAT_SWITCHES)) {
    throw new Error(`Go ${installed} is too old to build Kubernetes: ${wayOut}`);
  }
  // Asked in the module: this is where Go switches. With GOTOOLCHAIN=local it stays what it is.
  const building = await ask(["env", "GOVERSION"], directory, env, wayOut);
  if (!isAtLeast(building, needed)) {
    throw new Error(`Go ${building} is too old to build Kubernetes and may not fetch a newer one: ${wayOut}`);
  }
  return `go${building}`;
}

async function ask(args: string[], cwd: string, env: NodeJS.ProcessEnv, wayOut: string): Promise<string> {
  try {
    const { stdout } = await run("go", args, { cwd, env });
    return /\bgo(\d+\.\d+\S*)/.exec(stdout)?.[1] ?? stdout.trim();
  } catch (cause) {
    const { code, stderr } = cause as NodeJS.ErrnoException & { stderr?: string };
    const words = code === "ENOENT" ? "Go is not installed (no go on the path)" : `go ${args[0]}: ${stderr?.trim()}`;
    throw new Error(`${words}: ${wayOut}`, { cause });
  }
}

/** Compares `1.24.13` with `1.24.0` number by number; a release candidate (`1.25rc1`) counts as its release. */
function isAtLeast(version: string, oldest: string): boolean {
  const numbers = (text: string) => text.split(/\D+/).map(Number);
  const [a, b] = [numbers(version), numbers(oldest)];
  for (const index of [0, 1, 2]) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}
