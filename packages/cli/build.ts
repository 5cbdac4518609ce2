import { readFile, rm } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type BuildResult, build, type Plugin } from "esbuild";

// The JavaScript that is shipped: one directory of ES modules, an entry per thread. What a module imports lazily stays
// a file of its own, so that start-up reads only what it runs.

const packageDirectory = dirname(fileURLToPath(import.meta.url));

/** Output name (without .mjs) of each entry, and its source. Workers are entries: a thread starts from a file. */
const ENTRIES = {
  confcom: "src/main.ts",
  "quote-helper-worker": "src/quote-helper/worker.ts",
} as const;

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
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node24",
    minify: true,
    // Error reports keep the names that the sources use.
    keepNames: false,
    legalComments: "eof",
    metafile: true,
    logLevel: "warning",
    // CommonJS dependencies call require() for Node's own modules, which an ES module does not have.
    banner: {
      js: 'import{createRequire as confcomRequire}from"node:module";const require=confcomRequire(import.meta.url);',
    },
    plugins: [threadEntries(entryPoints)],
  });
  return { directory, main: resolve(directory, "confcom.mjs"), sizes: outputSizes(result) };
}

/**
 * Points `new URL("./x.ts", import.meta.url)`, the way a source names a thread's entry, at the entry's output. All outputs lie in one
 * directory, so the name alone is right wherever the code lands. A file that is no entry is an error here rather than at run time.
 */
function threadEntries(entryPoints: readonly { readonly in: string; readonly out: string }[]): Plugin {
  const urlOfSource = /new URL\(\s*"(\.{1,2}\/[^"]+\.ts)"\s*,\s*import\.meta\.url\s*,?\s*\)/g;
  return {
    name: "thread-entries",
    setup(builder) {
      builder.onLoad({ filter: /\/packages\/[^/]+\/src\/.*\.ts$/ }, async ({ path }) => {
        const source = await readFile(path, "utf8");
        const contents = source.replaceAll(urlOfSource, (_, specifier: string) => {
          const target = resolve(dirname(path), specifier);
          const entry = entryPoints.find((candidate) => candidate.in === target);
          if (entry === undefined) throw new Error(`${path} starts a thread from ${specifier}, which is no entry`);
          return `new URL("./${entry.out}.mjs", import.meta.url)`;
        });
        return { contents, loader: "ts" };
      });
    },
  };
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
