import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { type ImagePlaces, imageLabels, NODE, packageVersion } from "../../../deploy/image/confcom-image.ts";
import { filesOf, type Layer } from "../../../deploy/image/layer.ts";
import { nodeLayer } from "../../../deploy/image/node-layer.ts";
import type { ImageRecipe } from "../../../deploy/image/oci-image.ts";
import { BUNDLE_OPTIONS } from "../../../packages/cli/build.ts";

const SOURCES = fileURLToPath(new URL("../../../samples/remote-attestation/app/", import.meta.url));
const PROGRAM = "/opt/remote-attestation";

/** The sample's attester, and its verifier: `node /opt/remote-attestation/verify.mjs`. Runs as nobody in particular. */
export async function remoteAttestationImage(places: ImagePlaces): Promise<ImageRecipe> {
  const version = await packageVersion();
  return {
    name: `localhost/confcom-remote-attestation:${version}`,
    layers: [await nodeLayer(places.cache), await programLayer(join(places.scratch, "remote-attestation"))],
    entrypoint: [...NODE, `${PROGRAM}/attest.mjs`],
    user: "65532:65532",
    workingDirectory: "/",
    env: { PATH: "/usr/bin" },
    labels: imageLabels("confcom-remote-attestation", version, "A software enclave that gets itself a quote"),
  };
}

async function programLayer(directory: string): Promise<Layer> {
  await build({
    entryPoints: ["attest", "verify"].map((name) => ({ out: name, in: join(SOURCES, `${name}.ts`) })),
    outdir: directory,
    ...BUNDLE_OPTIONS,
  });
  return { comment: "remote attestation sample", entries: await filesOf(directory, PROGRAM) };
}
