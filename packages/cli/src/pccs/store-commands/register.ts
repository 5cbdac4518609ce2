import { type Command, Option } from "commander";
import type { Output } from "../../terminal/output.ts";
import type { ExportOptions } from "./export-collateral.ts";
import type { ImportOptions } from "./import-collateral.ts";
import type { MigrateOptions } from "./migrate-intel.ts";

/** The commands under `confcom pccs` that work on what the service keeps, without the service. */
export function registerStoreCommands(pccs: Command, output: Output): void {
  storePlaceOptions(pccs.command("import"))
    .description("take a platformcollateral file (Intel's JSON, v3 or v4), every chain and signature checked")
    .argument("<file>", "the file, or - for standard input")
    .option("--trusted-root <pem...>", "root certificates instead of Intel's")
    .option("--json", "print the result as JSON")
    .action(async (file: string, options: ImportOptions) => {
      const { importCollateral } = await import("./import-collateral.ts");
      await importCollateral(file, options, output);
    });
  storePlaceOptions(pccs.command("export"))
    .description("write everything as a platformcollateral file, which Intel's PCCS takes too")
    .requiredOption("--out <file>", "the file to write")
    .addOption(new Option("--api-version <version>", "which documents").choices(["3", "4"]).default("4"))
    .option("--json", "print the result as JSON")
    .action(async (options: ExportOptions) => {
      const { exportCollateral } = await import("./export-collateral.ts");
      await exportCollateral(options, output);
    });
  storePlaceOptions(pccs.command("migrate"))
    .description("take over the SQLite cache of Intel's PCCS, which is only read; exit status 1 if a part is refused")
    .argument("<database>", "its file (pckcache.db)")
    .option("--trusted-root <pem...>", "root certificates instead of Intel's")
    .option("--json", "print what was taken and what was refused as JSON")
    .action(async (database: string, options: MigrateOptions) => {
      const { migrateIntel } = await import("./migrate-intel.ts");
      await migrateIntel(database, options, output);
    });
  storePlaceOptions(pccs.command("backup"))
    .description("copy the SQLite database while the service runs; PostgreSQL: use pg_dump")
    .requiredOption("--out <file>", "the copy; it must not exist")
    .option("--json", "print the result as JSON")
    .action(async (options: { state?: string; database?: string; out: string; json?: boolean }) => {
      const { backup } = await import("./backup-restore.ts");
      await backup(options, output);
    });
  pccs
    .command("restore")
    .description("put a backup into a state directory that no service uses")
    .argument("<file>", "what confcom pccs backup wrote")
    .requiredOption("--state <dir>", "the service's state directory")
    .option("--replace", "move a database that is there aside; it is never deleted")
    .option("--json", "print the result as JSON")
    .action(async (file: string, options: { state: string; replace?: boolean; json?: boolean }) => {
      const { restore } = await import("./backup-restore.ts");
      await restore(file, options, output);
    });
}

function storePlaceOptions(command: Command): Command {
  return command
    .option("--state <dir>", "the service's state directory")
    .option("--database <url>", "postgres://... instead, or a file that holds it (a password is seen by ps)");
}
