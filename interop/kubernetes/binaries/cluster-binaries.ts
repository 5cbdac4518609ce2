import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, utimes } from "node:fs/promises";
import { arch, homedir, platform } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { withBuildLock } from "./build-lock.ts";
import { type GoBuildProgress, goBuild } from "./go-build.ts";
import { parseGoModule } from "./go-module.ts";
import { goToolchain } from "./go-toolchain.ts";
import { linkerFlags, type Program, programsOf } from "./programs.ts";

// Kubernetes, etcd and helm, built from source once per version of go.mod, go.sum, Go and flags, outside the repository.

export interface ClusterBinaries {
  /** Holds kubelet, kube-apiserver and the rest. */
  readonly directory: string;
  readonly key: string;
  readonly goVersion: string;
  /** True when nothing had to be built. */
  readonly cached: boolean;
  readonly milliseconds: number;
  readonly programs: readonly { readonly name: string; readonly version: string; readonly bytes: number }[];
}

export interface EnsureBinariesOptions {
  /** Where builds are kept; `$XDG_CACHE_HOME/confcom/kubernetes` unless given. */
  readonly cacheDirectory?: string;
  log(line: string): void;
  readonly signal?: AbortSignal;
  /** What Go and the programs see; PATH says which Go. */
  readonly env?: NodeJS.ProcessEnv;
  /** The directory of go.mod. */
  readonly moduleDirectory?: string;
}

const MODULE_DIRECTORY = fileURLToPath(new URL("..", import.meta.url));
const REPORT_EVERY_MS = 15_000;
/** A build that nobody asked for in this time is removed. */
const KEPT_MS = 30 * 24 * 3_600_000;
const UNFINISHED = "building-";

/** `$XDG_CACHE_HOME/confcom/kubernetes`. */
function binaryCache(env: NodeJS.ProcessEnv): string {
  return join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "confcom", "kubernetes");
}

/**
 * Gives the directory of the cluster's programs, building them if this machine has not yet: several minutes and 4 GB of Go's
 * caches the first time. Whatever ends a builder, a build is there whole or not at all; a second builder waits for the first.
 */
export async function ensureBinaries(options: EnsureBinariesOptions): Promise<ClusterBinaries> {
  const begun = performance.now();
  const { log, signal, moduleDirectory = MODULE_DIRECTORY } = options;
  const env = buildEnvironment(options.env ?? process.env);
  const cache = options.cacheDirectory ?? binaryCache(env);
  const sources = (await readdir(moduleDirectory)).filter((name) => name.endsWith(".go")).sort();
  const files = ["go.mod", "go.sum", ...sources];
  const texts = await Promise.all(files.map((name) => readFile(join(moduleDirectory, name), "utf8")));
  const module = parseGoModule(texts[0] ?? "");
  const goVersion = await goToolchain(moduleDirectory, module.go, env);
  const programs = programsOf(module);
  const flags = ["-trimpath", "-buildvcs=false", "-ldflags", linkerFlags(module)];
  const key = createHash("sha256")
    .update(JSON.stringify([...texts, goVersion, platform(), arch(), flags]))
    .digest("hex")
    .slice(0, 16);
  const directory = join(cache, key, "bin");

  const found = async (cached: boolean): Promise<ClusterBinaries | undefined> => {
    const sizes = await sizesOf(directory, programs);
    if (sizes === undefined) return undefined;
    const now = new Date();
    await utimes(join(cache, key), now, now);
    const milliseconds = Math.round(performance.now() - begun);
    return { directory, key, goVersion, cached, milliseconds, programs: sizes };
  };
  const there = await found(true);
  if (there !== undefined) return there;
  const lock = {
    waiting: () => log(`another builder is at work in ${cache}: waiting for it`),
    done: () => found(true),
    signal,
  };
  return withBuildLock(join(cache, "lock"), lock, async () => {
    await removeOld(cache, key);
    log(`building ${programs.map(({ name }) => name).join(", ")} with ${goVersion}`);
    const work = await mkdtemp(join(cache, UNFINISHED));
    try {
      const bin = join(work, "bin");
      await mkdir(bin);
      // Go takes a directory for several programs only when it ends in a slash.
      const args = ["build", "-v", ...flags, "-o", `${bin}/`, ...module.tools];
      const report = reporter(log, begun);
      try {
        await goBuild({ args, directory: moduleDirectory, env, signal, progress: report.progress });
      } finally {
        report.stop();
      }
      for (const { builtAs, name } of programs) {
        if (builtAs !== name) await rename(join(bin, builtAs), join(bin, name));
      }
      await checkVersions(bin, programs);
      await rm(join(cache, key), { recursive: true, force: true });
      await rename(work, join(cache, key));
    } finally {
      await rm(work, { recursive: true, force: true });
    }
    const built = await found(false);
    if (built === undefined) throw new Error(`${directory}: go build made no ${programs.map(({ name }) => name)}`);
    return built;
  });
}

/** No C compiler, no change of go.mod, no workspace of somebody's around it. */
function buildEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { ...env, CGO_ENABLED: "0", GOFLAGS: "-mod=readonly", GOWORK: "off" };
}

async function sizesOf(
  directory: string,
  programs: readonly Program[],
): Promise<{ name: string; version: string; bytes: number }[] | undefined> {
  const sizes = [];
  for (const { name, version } of programs) {
    const bytes = (await stat(join(directory, name)).catch(() => undefined))?.size;
    if (bytes === undefined) return undefined;
    sizes.push({ name, version, bytes });
  }
  return sizes;
}

/** A program without its version stamp builds and starts, and then derives wrong defaults from v0.0.0. */
async function checkVersions(directory: string, programs: readonly Program[]): Promise<void> {
  for (const { name, version, versionWord = version, versionArguments } of programs) {
    const { stdout } = await promisify(execFile)(join(directory, name), [...versionArguments], { timeout: 60_000 });
    const words = stdout.split(/[\s+]+/);
    if (!words.includes(versionWord)) throw new Error(`${name} says it is ${stdout.trim()}, not ${version}`);
  }
}

/** Removes what a killed builder left and builds that nobody used for long. Called under the lock. */
async function removeOld(cache: string, key: string): Promise<void> {
  for (const name of await readdir(cache)) {
    const path = join(cache, name);
    const unused = /^[0-9a-f]{16}$/.test(name) && name !== key && Date.now() - (await stat(path)).mtimeMs > KEPT_MS;
    if (unused || name.startsWith(UNFINISHED)) await rm(path, { recursive: true, force: true });
  }
}

function reporter(
  log: (line: string) => void,
  begun: number,
): { progress(progress: GoBuildProgress): void; stop(): void } {
  let latest: GoBuildProgress = { compiled: 0, downloaded: 0 };
  const timer = setInterval(() => {
    const seconds = Math.round((performance.now() - begun) / 1000);
    log(`${latest.downloaded} modules downloaded, ${latest.compiled} packages compiled (${seconds} s)`);
  }, REPORT_EVERY_MS);
  return {
    progress: (progress) => {
      latest = progress;
    },
    stop: () => clearInterval(timer),
  };
}
