import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { VERSION } from "../packages/cli/src/version.ts";
import { chartFiles } from "./helm/chart/chart-files.ts";
import { manifestFiles } from "./manifest-files.ts";

// `npm run manifests`: what is in this directory for kubectl and for Helm, from the one description of the objects.

await write(manifestFiles(VERSION), new URL("./", import.meta.url));
const chart = new URL("./helm/confcom/", import.meta.url);
// Anew, so that no template of an object that is gone is left.
await rm(chart, { recursive: true, force: true });
await write(chartFiles(VERSION), chart);

async function write(files: ReadonlyMap<string, string>, directory: URL): Promise<void> {
  for (const [path, text] of files) {
    const file = fileURLToPath(new URL(path, directory));
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
  process.stdout.write(`${fileURLToPath(directory)}: ${files.size} files\n`);
}
