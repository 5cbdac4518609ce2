import { build } from "esbuild";
import { BUNDLE_OPTIONS } from "../../../packages/cli/build.ts";

/** A program as one file, small enough for a ConfigMap: the image has Node, but not what this repository's programs import. */
export async function programText(entry: string): Promise<string> {
  const { outputFiles } = await build({
    ...BUNDLE_OPTIONS,
    entryPoints: [entry],
    // One file, and not on disk.
    splitting: false,
    write: false,
    logLevel: "silent",
  });
  return outputFiles[0]?.text ?? "";
}
