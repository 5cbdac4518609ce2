import { randomBytes } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { exportPlatformCollateral } from "@confcom/collateral/platform-collateral";
import { CommandError } from "../../command-error.ts";
import { ExitCode } from "../../exit-code.ts";
import type { Output } from "../../terminal/output.ts";
import { progressLines } from "./progress.ts";
import { type StorePlace, withStore } from "./store-place.ts";

export interface ExportOptions extends StorePlace {
  readonly out: string;
  readonly apiVersion: string;
  readonly json?: boolean;
}

/** `confcom pccs export --out FILE`: the whole file or none. Encrypted PPIDs name machines, so it is for its owner alone. */
export async function exportCollateral(options: ExportOptions, output: Output): Promise<void> {
  const version = options.apiVersion === "3" ? 3 : 4;
  await withStore(options, { readOnly: true }, async (store) => {
    let bytes = 0;
    const unfinished = `${options.out}.${randomBytes(6).toString("hex")}.tmp`;
    try {
      const file = await open(unfinished, "wx", 0o600);
      try {
        for await (const piece of exportPlatformCollateral(
          store,
          version,
          progressLines(output, "platforms written"),
        )) {
          bytes += (await file.write(piece)).bytesWritten;
        }
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(unfinished, options.out);
    } catch (error) {
      await rm(unfinished, { force: true });
      if (!(error instanceof Error && "syscall" in error)) throw error;
      throw new CommandError(
        "CLI_OUTPUT_UNWRITABLE",
        `cannot write ${options.out}: ${error.message}`,
        "Check that its directory exists and is writable.",
        { exitCode: ExitCode.CANNOT_CREATE, cause: error },
      );
    }
    const { platforms, certificates } = await store.counts();
    if (options.json) output.json({ exported: { platforms, certificates, bytes }, file: options.out });
    else output.line(`exported ${platforms} platforms and ${certificates} certificates to ${options.out}`);
  });
}
