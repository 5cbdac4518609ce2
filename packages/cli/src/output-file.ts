import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, openSync, renameSync, unlinkSync, writeSync } from "node:fs";
import { CommandError } from "./command-error.ts";
import { ExitCode } from "./exit-code.ts";
import type { Output } from "./terminal/output.ts";

/** Writes a result to standard output (`-`) or, whole or not at all, to a file. */
export function writeResult(output: Output, path: string, bytes: Uint8Array, mode = 0o644): void {
  if (path === "-") {
    output.raw(bytes);
    return;
  }
  const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    const fd = openSync(temporary, "wx", mode);
    try {
      for (let offset = 0; offset < bytes.length; ) offset += writeSync(fd, bytes, offset);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
  } catch (error) {
    try {
      unlinkSync(temporary);
    } catch {
      // It was never created, or is already in place.
    }
    throw new CommandError(
      "CLI_OUTPUT_UNWRITABLE",
      `cannot write ${path}: ${error instanceof Error ? error.message : String(error)}`,
      "Check that its directory exists and is writable.",
      { exitCode: ExitCode.CANNOT_CREATE, cause: error },
    );
  }
}
