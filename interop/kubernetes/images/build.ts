import { parseArgs } from "node:util";
import { ensureImages, IMAGE_NAMES, type ImageName } from "./images.ts";

const USAGE = `Usage: npm run cluster:images -- [options] [${IMAGE_NAMES.join("|")}]...
  --directory DIR   where the archives go (default: the cache)
  --json            print the images as JSON
`;

const { values, positionals } = parseArgs({
  options: {
    directory: { type: "string" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
  allowPositionals: true,
});
const unknown = positionals.find((name) => !IMAGE_NAMES.includes(name as ImageName));
if (values.help || unknown !== undefined) {
  process.stderr.write(unknown === undefined ? USAGE : `there is no image ${unknown}\n${USAGE}`);
  process.exit(unknown === undefined ? 0 : 64);
}
try {
  const images = await ensureImages({
    only: positionals.length === 0 ? IMAGE_NAMES : (positionals as ImageName[]),
    ...(values.directory === undefined ? {} : { directory: values.directory }),
    log: (line) => process.stderr.write(`${line}\n`),
  });
  if (values.json) process.stdout.write(`${JSON.stringify(images, null, 2)}\n`);
  else for (const image of Object.values(images)) process.stdout.write(`${image.archive}\n`);
} catch (error) {
  process.stderr.write(`images: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
