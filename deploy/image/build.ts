import { copyFile, mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { imageCache } from "./cache.ts";
import { confcomImage } from "./confcom-image.ts";
import { buildImage } from "./oci-image.ts";

const OUTPUT = fileURLToPath(new URL("../../dist/confcom-image.tar", import.meta.url));

const USAGE = `Usage: npm run image -- [options]
  --name NAME       registry, name and tag of the image (default: localhost/confcom:VERSION)
  --output FILE     the OCI archive to write (default: dist/confcom-image.tar)
  --json            print name, digest, archive and its bytes as JSON
`;

const { values } = parseArgs({
  options: {
    name: { type: "string" },
    output: { type: "string", default: OUTPUT },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}
const scratch = await mkdtemp(join(tmpdir(), "confcom-image-"));
try {
  const cache = imageCache(process.env);
  const recipe = await confcomImage({ cache, scratch });
  const image = await buildImage({ ...recipe, name: values.name ?? recipe.name }, { directory: cache, cache });
  const archive = resolve(values.output);
  await mkdir(dirname(archive), { recursive: true });
  // A copy under another name first: whoever reads the archive sees the old one or the new one.
  await copyFile(image.archive, `${archive}.new`);
  await rename(`${archive}.new`, archive);
  const { name, digest, archiveBytes } = image;
  if (values.json) process.stdout.write(`${JSON.stringify({ name, digest, archive, archiveBytes })}\n`);
  else process.stdout.write(`${name}\n${digest}\n${archive} (${(archiveBytes / 1e6).toFixed(1)} MB)\n`);
} catch (error) {
  process.stderr.write(`image: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  await rm(scratch, { recursive: true, force: true });
}
