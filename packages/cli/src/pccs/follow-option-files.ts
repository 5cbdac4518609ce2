import type { Logger } from "pino";
import { followFile } from "./follow-file.ts";

export interface OptionFiles {
  /** For the log: "TLS certificate". */
  readonly what: string;
  /** Read together; undefined: not given. */
  readonly paths: readonly (string | undefined)[];
  /** Takes them up; throws when they cannot be used, and what was in force stays so. */
  readonly read: () => void;
}

/** How soon a changed file is seen, ms. */
const LOOK_MS = 2_000;

/**
 * Reads files again when they change. What cannot be used (a certificate whose key is not written yet) is tried again by
 * and by, and named in the log once. Returns what ends it.
 */
export function followOptionFiles(
  groups: readonly OptionFiles[],
  log: Pick<Logger, "info" | "error">,
  everyMs = LOOK_MS,
): () => Promise<void> {
  const ends = groups.flatMap(({ what, paths, read }) => {
    let failure = "";
    const take = () => {
      try {
        read();
        failure = "";
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        if (message !== failure) log.error(`kept the ${what} in force: ${message}`);
        failure = message;
        throw error;
      }
    };
    return [...new Set(paths)]
      .filter((path) => path !== undefined)
      .map((path) => {
        // What the first look finds is what the start read a moment before, or has changed since: not worth a line.
        let first = true;
        const changed = async () => {
          take();
          if (!first) log.info(`${path} changed: ${what} read again`);
          first = false;
        };
        return followFile({ path, everyMs, changed });
      });
  });
  return async () => {
    await Promise.all(ends.map((end) => end()));
  };
}
