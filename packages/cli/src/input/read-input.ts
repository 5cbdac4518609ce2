import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { CommandError } from "../command-error.ts";
import { ExitCode } from "../exit-code.ts";

/** No input of any command is larger; a stream is cut off there rather than read to the end. */
export const INPUT_LIMIT = 16 * 1024 * 1024;

/** Reads a file, or standard input for `-`, up to `limit` bytes. Throws CommandError `CLI_INPUT_UNREADABLE`. */
export function readInput(path: string, what: string, limit = INPUT_LIMIT): Uint8Array {
  const refuse = (why: string, cause?: unknown) =>
    new CommandError(
      "CLI_INPUT_UNREADABLE",
      `cannot read ${what} from ${path === "-" ? "standard input" : path}: ${why}`,
      "Check the path and its permissions.",
      {
        exitCode: ExitCode.BAD_INPUT,
        cause,
      },
    );
  let fd = 0;
  try {
    fd = path === "-" ? 0 : openSync(path, "r");
    if (path !== "-" && fstatSync(fd).isDirectory()) throw new Error("it is a directory");
    const chunks: Buffer[] = [];
    let size = 0;
    for (;;) {
      const chunk = Buffer.allocUnsafe(65536);
      const read = readRetrying(fd, chunk);
      if (read === 0) break;
      size += read;
      if (size > limit) throw new Error(`it is larger than ${limit} bytes`);
      chunks.push(chunk.subarray(0, read));
    }
    return new Uint8Array(Buffer.concat(chunks));
  } catch (error) {
    throw refuse(error instanceof Error ? error.message : String(error), error);
  } finally {
    if (fd !== 0) closeSync(fd);
  }
}

function readRetrying(fd: number, chunk: Buffer): number {
  for (;;) {
    try {
      return readSync(fd, chunk);
    } catch (error) {
      if (!(error instanceof Error && "code" in error)) throw error;
      if (error.code === "EOF") return 0;
      if (error.code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}
