import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const API_DIRECTORY = dirname(fileURLToPath(import.meta.url));
const REPOSITORY = join(API_DIRECTORY, "../../../../..");

/** The definitions that the generated code is made from. */
export const PROTO_FILES = ["device-plugin.proto", "pod-resources.proto"] as const;

/** Where the generated code is kept. */
export const GENERATED_DIRECTORY = join(API_DIRECTORY, "generated");

/** The file name of the code that is generated from one definition. */
export function generatedName(protoFile: string): string {
  return `${basename(protoFile, ".proto")}_pb.ts`;
}

/** The TypeScript of one definition, in this repository's format. Needs `protoc` on the search path. */
export function generateApi(protoFile: string): string {
  const scratch = mkdtempSync(join(tmpdir(), "confcom-protoc-"));
  try {
    execFileSync("protoc", [
      `--plugin=protoc-gen-es=${join(REPOSITORY, "node_modules/.bin/protoc-gen-es")}`,
      `--proto_path=${API_DIRECTORY}`,
      `--es_out=${scratch}`,
      "--es_opt=target=ts,import_extension=ts",
      protoFile,
    ]);
    const name = generatedName(protoFile);
    return execFileSync(
      join(REPOSITORY, "node_modules/.bin/biome"),
      ["check", "--write", `--stdin-file-path=${join(GENERATED_DIRECTORY, name)}`],
      { cwd: REPOSITORY, input: readFileSync(join(scratch, name)), encoding: "utf8" },
    );
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

if (import.meta.main) {
  for (const file of PROTO_FILES) writeFileSync(join(GENERATED_DIRECTORY, generatedName(file)), generateApi(file));
}
