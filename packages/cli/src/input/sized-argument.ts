import { existsSync } from "node:fs";
import { fromHex } from "@confcom/sgx";
import { CommandError } from "../command-error.ts";
import { decodeBinaryText } from "./binary-text.ts";
import { readInput } from "./read-input.ts";

/**
 * A structure given on the command line: hexadecimal, or a file (binary, hex or base64), or `-`.
 * `size` is the exact number of bytes, or the largest when `padded` (shorter values are zero padded).
 */
export function readSizedArgument(argument: string, size: number, what: string, padded = false): Uint8Array {
  const bytes = readBytes(argument, what);
  if (bytes.length === size) return bytes;
  if (padded && bytes.length < size) {
    const out = new Uint8Array(size);
    out.set(bytes);
    return out;
  }
  throw new CommandError(
    "CLI_INPUT_MALFORMED",
    `${what} is ${padded ? "at most " : ""}${size} bytes, got ${bytes.length}`,
    `Pass ${size * 2} hex digits, or a file that holds the bytes.`,
  );
}

function readBytes(argument: string, what: string): Uint8Array {
  const hex = argument.replace(/^0x/i, "");
  if (/^[0-9a-f]*$/i.test(hex) && hex.length % 2 === 0 && !existsSync(argument)) return fromHex(hex);
  return decodeBinaryText(readInput(argument, what)).bytes;
}
