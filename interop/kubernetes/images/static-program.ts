import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
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
  const binary = await compile(program.source, scratch);
  const source = await readFile(program.source, "utf8");
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

/** Compiles one C file into `directory`; the program's path. */
export async function compile(source: URL, directory: string): Promise<string> {
  const binary = join(directory, basename(source.pathname, ".c"));
  const warnings = ["-Wall", "-Wextra", "-Werror"];
  // Without symbols (-s) nothing of the path remains, and the program is the same from every checkout.
  const args = ["-static", "-Os", "-s", "-std=gnu11", ...warnings, "-o", binary, fileURLToPath(source)];
  await runProgram("cc", args, { wayOut: "apt-get install gcc libc6-dev" });
  return binary;
}
