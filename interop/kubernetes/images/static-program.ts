import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { imageLabels } from "../../../deploy/image/confcom-image.ts";
import type { ImageRecipe } from "../../../deploy/image/oci-image.ts";
import { runProgram } from "../../../deploy/image/program.ts";

export interface StaticProgram {
  readonly image: string;
  readonly source: URL;
  readonly description: string;
}

/** An image that holds one statically linked C program and nothing else. */
export async function staticProgramImage(program: StaticProgram, scratch: string): Promise<ImageRecipe> {
  const name = basename(program.source.pathname, ".c");
  const binary = `${scratch}/${name}`;
  const source = await readFile(program.source, "utf8");
  const warnings = ["-Wall", "-Wextra", "-Werror"];
  // Compiled from a file name without a directory, so that no path gets into the program.
  const args = ["-static", "-Os", "-s", "-std=gnu11", ...warnings, "-o", binary, program.source.pathname];
  await runProgram("cc", args, { wayOut: "apt-get install gcc libc6-dev" });
  const version = /:(.*)$/.exec(program.image)?.[1] ?? "1";
  return {
    name: program.image,
    layers: [
      {
        comment: `${name}.c, ${source.split("\n").length - 1} lines, statically linked`,
        entries: [
          { kind: "directory", path: "/tmp", mode: 0o1777 },
          { kind: "file", path: `/${name}`, mode: 0o755, source: binary },
        ],
      },
    ],
    entrypoint: [`/${name}`],
    labels: imageLabels(name, version, program.description),
  };
}
