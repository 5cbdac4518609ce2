import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildBundle } from "../../packages/cli/build.ts";
import { filesOf, type Layer } from "./layer.ts";
import { nodeLayer } from "./node-layer.ts";
import type { ImageRecipe } from "./oci-image.ts";

const LICENCE = fileURLToPath(new URL("../../LICENSE", import.meta.url));
const PROGRAM = "/opt/confcom";

/** SIGUSR1 would open Node's debugger to every local user. */
export const NODE = ["/usr/bin/node", "--disable-sigusr1"] as const;

/** So that `kubectl exec POD -- confcom ...` works as it does outside. */
const LAUNCHER = `#!${NODE.join(" ")}\nimport "${PROGRAM}/confcom.mjs";\n`;

export interface ImagePlaces {
  /** Kept between builds. */
  readonly cache: string;
  /** For this build alone; somebody else removes it. */
  readonly scratch: string;
}

/** The image of every container of the add-on: arguments are those of the `confcom` command. */
export async function confcomImage(places: ImagePlaces): Promise<ImageRecipe> {
  const version = await packageVersion();
  return {
    name: `localhost/confcom:${version}`,
    layers: [await nodeLayer(places.cache), await programLayer(version, join(places.scratch, "bundle"))],
    entrypoint: [...NODE, `${PROGRAM}/confcom.mjs`],
    workingDirectory: "/",
    env: { PATH: "/usr/bin" },
    labels: imageLabels("confcom", version, "SGX device plugin, quote helper and quote verifier"),
  };
}

async function programLayer(version: string, scratch: string): Promise<Layer> {
  const { directory } = await buildBundle(scratch);
  return {
    comment: `confcom ${version}`,
    entries: [
      ...(await filesOf(directory, PROGRAM)),
      { kind: "file", path: "/usr/bin/confcom", mode: 0o755, content: LAUNCHER },
      { kind: "file", path: "/usr/share/doc/confcom/LICENSE", mode: 0o644, source: LICENCE },
    ],
  };
}

export async function packageVersion(): Promise<string> {
  const manifest = await readFile(new URL("../../packages/cli/package.json", import.meta.url), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}

/** The predefined annotations of the OCI image specification. */
export function imageLabels(title: string, version: string, description: string): Record<string, string> {
  const prefix = "org.opencontainers.image";
  return {
    [`${prefix}.title`]: title,
    [`${prefix}.description`]: description,
    [`${prefix}.version`]: version,
    [`${prefix}.licenses`]: "Apache-2.0",
  };
}
