import { cp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { arch, platform } from "node:os";
import { basename, dirname, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type BuildOptions, type BuildResult, build } from "esbuild";

// The JavaScript that is shipped: one directory of ES modules, an entry per thread. What a module imports lazily stays
// a file of its own, so that start-up reads only what it runs.

const packageDirectory = dirname(fileURLToPath(import.meta.url));

/** Output name (without .mjs) of each entry, and its source. A worker is one: a thread starts from a file, named beside the main entry. */
const ENTRIES = {
  command: "src/main.ts",
  "quote-helper-worker": "src/quote-helper/worker.ts",
  "collateral-import-worker": "../collateral/src/service/platform-imports/worker.ts",
  "collateral-store-worker": "../collateral/src/store/sqlite/worker.ts",
  "software-authority-worker": "src/pccs/software-thread/worker.ts",
} as const;

/** As in bin/runtime.mjs. */
const OLDEST_SUPPORTED = 24;

/** A static import would be loaded by a Node that is too old before anything could be said about it: it even crashes. */
const START = `import process from "node:process";
if (Number.parseInt(process.versions.node, 10) < ${OLDEST_SUPPORTED}) {
  process.stderr.write("confcom: this is Node " + process.versions.node + ", and confcom needs Node ${OLDEST_SUPPORTED} or newer.\\n");
  process.exit(78);
}
await import("./command.mjs");
`;

/** How this project's programs are bundled for Node. */
export const BUNDLE_OPTIONS = {
  outExtension: { ".js": ".mjs" },
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node24",
  minify: true,
  legalComments: "eof",
  logLevel: "warning",
  // CommonJS dependencies call require() for Node's own modules, which an ES module does not have.
  banner: {
    js: 'import{createRequire as confcomRequire}from"node:module";const require=confcomRequire(import.meta.url);',
  },
} as const satisfies BuildOptions;

export interface Bundle {
  readonly directory: string;
  /** What `node` runs. */
  readonly main: string;
  /** Bytes of each file written, by name. */
  readonly sizes: ReadonlyMap<string, number>;
}

export async function buildBundle(directory: string = resolve(packageDirectory, "dist")): Promise<Bundle> {
  await rm(directory, { recursive: true, force: true });
  const entryPoints = Object.entries(ENTRIES).map(([out, source]) => ({ out, in: resolve(packageDirectory, source) }));
  const result = await build({
    entryPoints,
    outdir: directory,
    ...BUNDLE_OPTIONS,
    // It finds its native module beside itself; PostgreSQL's client tries a native one that nobody needs.
    external: ["better-sqlite3", "pg-native"],
    metafile: true,
  });
  await writeFile(resolve(directory, "confcom.mjs"), START);
  await copyNativePackage("better-sqlite3", directory);
  return { directory, main: resolve(directory, "confcom.mjs"), sizes: outputSizes(result) };
}

/** What of better-sqlite3 runs, relative to the package. The native module is the one for the platform that builds. */
const NATIVE_PACKAGE = ["package.json", "LICENSE", "lib", `prebuilds/${platform()}-${arch()}.node`] as const;

/** Beside the bundle, where Node looks for it. */
async function copyNativePackage(name: string, directory: string): Promise<void> {
  const from = dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
  for (const part of NATIVE_PACKAGE) {
    await cp(resolve(from, part), resolve(directory, "node_modules", name, part), { recursive: true });
  }
}

function outputSizes(result: BuildResult<{ metafile: true }>): Map<string, number> {
  const outputs = Object.entries(result.metafile.outputs);
  return new Map(outputs.map(([path, output]) => [basename(path), output.bytes]));
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { directory, sizes } = await buildBundle();
  for (const [name, bytes] of [...sizes].sort(([a], [b]) => a.localeCompare(b))) {
    process.stdout.write(`${String(Math.ceil(bytes / 1000)).padStart(6)} kB  ${name}\n`);
  }
  process.stdout.write(`${directory}\n`);
}
