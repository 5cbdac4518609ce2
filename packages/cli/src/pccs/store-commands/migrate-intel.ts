import { assertIntelDatabase, migrateIntelDatabase } from "@confcom/collateral/intel-migration";
import { ExitCode } from "../../exit-code.ts";
import type { Output } from "../../terminal/output.ts";
import { printable } from "../../terminal/printable.ts";
import { progressLines } from "./progress.ts";
import { type StorePlace, withStore } from "./store-place.ts";
import { trustedRoots } from "./trusted-roots.ts";

export interface MigrateOptions extends StorePlace {
  readonly trustedRoot?: readonly string[];
  readonly json?: boolean;
}

/** `confcom pccs migrate INTEL.db`: exit status 1 when something was refused; what holds is taken all the same. */
export async function migrateIntel(path: string, options: MigrateOptions, output: Output): Promise<void> {
  // First: a source that is none must not make a state directory.
  const terms = { trustedRoots: trustedRoots("--trusted-root", options.trustedRoot) };
  assertIntelDatabase(path);
  const report = await withStore(options, { readOnly: false, report: (line) => output.note(line) }, (store) =>
    migrateIntelDatabase(path, {
      terms,
      write: (changes) => store.write(changes),
      progress: progressLines(output, "platforms read"),
    }),
  );
  if (options.json) output.json(report);
  else {
    for (const [kind, count] of Object.entries(report.taken)) output.line(`taken    ${count} ${kind}`);
    for (const { what, why } of report.refused) output.line(`refused  ${printable(what)}: ${printable(why)}`);
    const more = report.refusedCount - report.refused.length;
    if (more > 0) output.line(`refused  ${more} more`);
  }
  if (report.refusedCount > 0) process.exitCode = ExitCode.NEGATIVE;
}
