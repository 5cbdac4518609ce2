import { readFile } from "node:fs/promises";
import { openPostgresStore, type PostgresStoreOptions } from "@confcom/collateral/store/postgres";

/** A store with the real clock, as `confcom pccs` opens it. */
export function openStore(url: string, options: Partial<PostgresStoreOptions> = {}) {
  return openPostgresStore({
    url,
    owner: "replica",
    clock: {
      now: () => Date.now(),
      setTimeout: (callback, ms) => setTimeout(callback, ms),
      clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
    },
    random: Math.random,
    report: () => undefined,
    readTextFile: (path) => readFile(path, "utf8"),
    ...options,
  });
}
