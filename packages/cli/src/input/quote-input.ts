import { CommandError } from "../command-error.ts";
import { decodeBinaryText } from "./binary-text.ts";
import { readInput } from "./read-input.ts";

/** Quotes are a few KiB; anything over this is something else. */
const QUOTE_LIMIT = 1024 * 1024;

/** Reads a quote: binary, hexadecimal or base64. Throws CommandError. */
export function readQuote(path: string): Uint8Array {
  const { bytes } = decodeBinaryText(readInput(path, "the quote", QUOTE_LIMIT));
  if (bytes.length === 0) {
    throw new CommandError(
      "CLI_INPUT_MALFORMED",
      `${path === "-" ? "standard input" : path} is empty`,
      "Pass a file that holds a quote.",
    );
  }
  return bytes;
}
