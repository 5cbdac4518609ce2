import { CommandError } from "./command-error.ts";

/** The command line lacks something or contradicts itself. */
export function usage(message: string, command?: string): CommandError {
  return new CommandError(
    "CLI_USAGE",
    message,
    `confcom${command === undefined ? "" : ` ${command}`} --help shows the options.`,
  );
}

/** A whole number from `min` to `max`, decimal or 0x. Throws CommandError `CLI_USAGE`. */
export function parseInteger(text: string, option: string, min: number, max: number): number {
  const value = /^(?:0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value) || value < min || value > max) {
    throw usage(`${option} takes a whole number from ${min} to ${max}, got "${text}"`);
  }
  return value;
}

export function parseU16(text: string, option: string): number {
  return parseInteger(text, option, 0, 0xffff);
}
