import { execFile } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import { promisify } from "node:util";
import type { LayerEntry } from "./layer.ts";
import { runProgram } from "./program.ts";

/**
 * What a dynamically linked program needs beside itself: the loader and every library that the loader finds for it, at the
 * paths where it found them, and each one's licence where Debian keeps it.
 */
export async function sharedLibraries(program: string): Promise<LayerEntry[]> {
  const report = await runProgram("ldd", [program], { wayOut: "apt-get install libc-bin" });
  const libraries = librariesOf(report, program);
  const entries: LayerEntry[] = libraries.map((path) => ({ kind: "file", path, mode: 0o755, source: path }));
  for (const path of await licencesOf(libraries)) entries.push({ kind: "file", path, mode: 0o644, source: path });
  return entries;
}

/** The paths in what ldd prints: `name => /path (address)`, and `/path (address)` for the loader. */
export function librariesOf(report: string, program: string): string[] {
  const paths = new Set<string>();
  for (const line of report.split("\n")) {
    const missing = /^\s*(\S+) => not found/.exec(line);
    if (missing !== null) throw new Error(`${program} needs ${missing[1]}, which is not installed`);
    const found = /^\s*(?:\S+ => )?(\/\S+) \(0x[0-9a-f]+\)$/.exec(line);
    if (found?.[1] !== undefined) paths.add(found[1]);
  }
  if (paths.size === 0) throw new Error(`ldd names no library of ${program}`);
  return [...paths].sort();
}

/** Debian's licence files of the packages that own the libraries; none on another system. */
async function licencesOf(libraries: readonly string[]): Promise<string[]> {
  const licences = new Set<string>();
  for (const library of libraries) {
    // The package database may know a file by its path before or after the merge of /lib into /usr/lib.
    for (const path of new Set([library, realpathSync(library), `/usr${library}`])) {
      const owner = await promisify(execFile)("dpkg-query", ["-S", path]).catch(() => undefined);
      const name = owner?.stdout.split(":")[0];
      const licence = `/usr/share/doc/${name}/copyright`;
      if (name === undefined || !existsSync(licence)) continue;
      licences.add(licence);
      break;
    }
  }
  return [...licences].sort();
}
