import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { type EffectiveConfiguration, effectiveConfiguration } from "@confcom/collateral/configuration";
import type { Output } from "../terminal/output.ts";
import { printable } from "../terminal/printable.ts";
import type { CollateralFlags } from "./collateral-flags.ts";

/** The configuration of this machine and command line; what is ignored in it is said. Throws CollateralError CONFIGURATION. */
export function readConfiguration(flags: CollateralFlags, output: Output): EffectiveConfiguration {
  const configuration = effectiveConfiguration({ flags, env: process.env, readFile: readBounded });
  for (const warning of configuration.warnings) output.note(`warning: ${printable(warning)}`);
  return configuration;
}

/** Up to `limit` + 1 bytes of a regular file; undefined if there is none. */
function readBounded(path: string, limit: number): Uint8Array | undefined {
  let fd: number;
  try {
    // A FIFO in its place must not stop anybody.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR"))
      return undefined;
    throw error;
  }
  try {
    if (!fstatSync(fd).isFile()) throw new Error("it is no regular file");
    const buffer = Buffer.alloc(limit + 1);
    let size = 0;
    for (;;) {
      const read = readSync(fd, buffer, size, buffer.length - size, size);
      if (read === 0) return buffer.subarray(0, size);
      size += read;
      if (size === buffer.length) return buffer;
    }
  } finally {
    closeSync(fd);
  }
}
