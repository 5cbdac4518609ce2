import { constants } from "node:fs";
import { copyFile, link, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { imageCache } from "../../../deploy/image/cache.ts";
import { confcomImage, type ImagePlaces } from "../../../deploy/image/confcom-image.ts";
import { type BuiltImage, buildImage, type ImageRecipe } from "../../../deploy/image/oci-image.ts";
import { remoteAttestationImage } from "./remote-attestation.ts";
import { staticProgramImage } from "./static-program.ts";

/** Every image that the development cluster may run. */
const RECIPES = {
  pause: (places) =>
    staticProgramImage(
      {
        image: "localhost/pause:1",
        source: new URL("pause.c", import.meta.url),
        description: "Holds a pod's namespaces",
      },
      places.scratch,
    ),
  hello: (places) =>
    staticProgramImage(
      {
        image: "localhost/confcom-hello:1",
        source: new URL("../../../samples/quickstart/hello.c", import.meta.url),
        description: "The quickstart's hello world, without an enclave",
      },
      places.scratch,
    ),
  probe: (places) =>
    staticProgramImage(
      {
        image: "localhost/confcom-probe:1",
        source: new URL("probe.c", import.meta.url),
        description: "Says which devices, mounts and variables a container sees",
      },
      places.scratch,
    ),
  confcom: confcomImage,
  "remote-attestation": remoteAttestationImage,
} as const satisfies Record<string, (places: ImagePlaces) => Promise<ImageRecipe>>;

export type ImageName = keyof typeof RECIPES;

export const IMAGE_NAMES = Object.keys(RECIPES) as readonly ImageName[];

export type Images<Name extends ImageName = ImageName> = Readonly<Record<Name, BuiltImage>>;

export interface EnsureImagesOptions<Name extends ImageName = ImageName> {
  /** Where the archives go; the cache directory unless given. */
  readonly directory?: string;
  /** All of them unless given. */
  readonly only?: readonly Name[];
  log(line: string): void;
}

/**
 * Builds what has changed since the last time and gives every image's archive, which `ctr -n k8s.io images import` takes.
 * Needs umoci, GNU tar, a C compiler and strip; no daemon, no root, no network.
 */
export async function ensureImages<Name extends ImageName = ImageName>(
  options: EnsureImagesOptions<Name>,
): Promise<Images<Name>> {
  const cache = imageCache(process.env);
  const directory = options.directory ?? cache;
  const images: Partial<Record<ImageName, BuiltImage>> = {};
  const scratch = await mkdtemp(join(tmpdir(), "confcom-images-"));
  try {
    for (const name of options.only ?? (IMAGE_NAMES as readonly Name[])) {
      const begun = performance.now();
      const image = await buildImage(await RECIPES[name]({ cache, scratch }), { directory, cache });
      const seconds = ((performance.now() - begun) / 1000).toFixed(1);
      const size = `${(image.archiveBytes / 1e6).toFixed(1)} MB`;
      options.log(`${image.name}: ${size}, ${image.cached ? "there already" : "built"} (${seconds} s)`);
      images[name] = image;
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  return images as Images<Name>;
}

/** The same images with their archives in `directory`, where no later build takes them away. */
export async function keptImages<Name extends ImageName>(
  images: Images<Name>,
  directory: string,
): Promise<Images<Name>> {
  await mkdir(directory, { recursive: true });
  const entries = Object.entries<BuiltImage>(images).map(async ([name, image]) => {
    const archive = join(directory, basename(image.archive));
    // On another file system there are no links to it.
    await link(image.archive, archive).catch(() => copyFile(image.archive, archive, constants.COPYFILE_FICLONE));
    return [name, { ...image, archive }] as const;
  });
  return Object.fromEntries(await Promise.all(entries)) as Images<Name>;
}
