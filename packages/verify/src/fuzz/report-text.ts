import type { FuzzReport } from "./fuzzer.ts";
import type { MemorySample } from "./memory.ts";

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

function row(...cells: readonly (string | number)[]): string {
  return cells.map((cell, i) => (i === 0 ? String(cell).padEnd(20) : String(cell).padStart(11))).join("");
}

/** The report of a run for a person. */
export function reportText(report: FuzzReport, samples: readonly MemorySample[], slowestAlone?: number): string {
  const { inputs, seed, milliseconds, kinds, slowest, slowestLarge, mostWork, failures } = report;
  const lines = [row("kind", "inputs", "accepted", "refused", "µs each")];
  for (const [kind, of] of Object.entries(kinds).sort((a, b) => b[1].inputs - a[1].inputs)) {
    lines.push(row(kind, of.inputs, of.accepted, of.refused, ((1000 * of.milliseconds) / of.inputs).toFixed(0)));
  }
  const seconds = milliseconds / 1000;
  lines.push(
    "",
    `${inputs} inputs of seed ${seed} in ${seconds.toFixed(0)} s, ${(inputs / seconds).toFixed(0)} a second`,
  );
  for (const [what, slow] of [
    ["slowest", slowest],
    ["slowest large one", slowestLarge],
  ] as const) {
    if (slow !== undefined)
      lines.push(`${what}: ${slow.milliseconds.toFixed(1)} ms, input ${slow.index} (${slow.kind})`);
  }
  if (slowestAlone !== undefined) lines.push(`the slowest again, alone: ${slowestAlone.toFixed(1)} ms`);
  const { signatureChecks, keyImports, hashes, bytes } = mostWork;
  lines.push(
    `most work of one verification: ${signatureChecks} signature checks, ${keyImports} keys, ${hashes} hashes, ${bytes} bytes`,
  );
  const first = samples[0];
  const last = samples.at(-1);
  if (first !== undefined && last !== undefined) {
    lines.push(
      `heap ${mebibytes(first.heap)} after ${first.done} inputs, ${mebibytes(last.heap)} at the end; ` +
        `resident ${mebibytes(first.resident)}, ${mebibytes(last.resident)}`,
    );
  }
  for (const { index, kind, problem } of failures) lines.push(`input ${index} (${kind}): ${problem}`);
  lines.push(`${failures.length} problems`);
  return lines.join("\n");
}
