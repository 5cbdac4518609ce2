import { createHash, randomBytes } from "node:crypto";
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { CommandError } from "../command-error.ts";
import { ExitCode } from "../exit-code.ts";
import type { Output } from "../terminal/output.ts";
import { optionFile } from "./option-file.ts";

/** 256 bits: a token is a key, not a password. */
const TOKEN_BYTES = 32;

/** `confcom pccs token`: shows a new token once, and adds its hash to a file that the service reads. */
export function makeToken(options: { readonly file: string; readonly json?: boolean }, output: Output): void {
  const token = randomBytes(TOKEN_BYTES).toString("hex");
  const hash = createHash("sha512").update(token, "utf8").digest("hex");
  try {
    // A last line without its end would swallow the new hash, and neither token would fit any more.
    const start = endsInLine(options.file) ? "\n" : "";
    appendFileSync(options.file, `${start}${hash}\n`, { mode: 0o600 });
  } catch (cause) {
    throw new CommandError(
      "CLI_OUTPUT_UNWRITABLE",
      `cannot write ${options.file}: ${cause instanceof Error ? cause.message : String(cause)}`,
      "Check that its directory exists and is writable.",
      { exitCode: ExitCode.CANNOT_CREATE, cause },
    );
  }
  if (options.json) output.json({ token, file: options.file });
  else output.line(token);
}

function endsInLine(path: string): boolean {
  return existsSync(path) && /[^\n]$/.test(readFileSync(path, "utf8").slice(-1));
}

/** The hashes of a file, one a line; lines that start with # are left out. Without a file there is no such token. */
export function readTokenHashes(option: string, path: string | undefined): readonly string[] {
  if (path === undefined) return [];
  const lines = optionFile(option, path).split("\n");
  return lines.map((line) => line.trim()).filter((line) => line !== "" && !line.startsWith("#"));
}
