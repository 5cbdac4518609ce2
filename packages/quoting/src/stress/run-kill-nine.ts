// node packages/quoting/src/stress/run-kill-nine.ts [KILLS]: 200 kills unless told otherwise; exit status 1 on any failure.
import { tmpdir } from "node:os";
import process from "node:process";
import { killNine, killNineSummaryLine } from "./kill-nine.ts";

const kills = Number(process.argv[2] ?? 200);
const summary = await killNine({ kills, directory: tmpdir(), random: Math.random });
for (const failure of summary.failures) process.stderr.write(`${failure}\n`);
process.stdout.write(`${killNineSummaryLine(summary)}\n`);
process.exitCode = summary.failures.length === 0 ? 0 : 1;
