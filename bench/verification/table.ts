import { column } from "../column.ts";
import type { VerificationResults } from "./measure.ts";
import type { VerificationVerdict } from "./targets.ts";

/** The results as text for a terminal of 110 columns. */
export function renderVerification(
  { versions, rows, parsing, scaling }: VerificationResults,
  verdicts: readonly VerificationVerdict[],
): string {
  const lines = [
    "                      verifications/s per core     CPU us/verification",
    "quote    workload     confcom   limit     npm    confcom   limit     npm  of limit  times npm",
  ];
  for (const { input, workload, imports, verifications, confcom, limit, npm, ofLimit, timesNpm } of rows) {
    lines.push(
      [
        input.padEnd(8),
        workload.padEnd(11),
        ...[confcom, limit, npm].map((cost) => column(1e6 / cost, 8, 0)),
        " ",
        ...[confcom, limit, npm].map((cost) => column(cost, 7, 0)),
        column(ofLimit, 9, 2),
        column(timesNpm, 10, 1),
        `  limit: ${verifications} signatures, ${imports} key${imports === 1 ? "" : "s"}`,
      ].join(" "),
    );
  }
  lines.push("");
  for (const { input, microseconds } of parsing) {
    lines.push(`parsing alone, ${input}: ${microseconds.toFixed(1)} us, ${(1e6 / microseconds).toFixed(0)} quotes/s`);
  }
  lines.push(
    `two workers: ${scaling.twoPerSecond.toFixed(0)} verifications/s, one ${scaling.onePerSecond.toFixed(0)}: ` +
      `${scaling.factor.toFixed(2)} times (by the clock, on a machine that others use too: ${scaling.clockFactor.toFixed(2)})`,
    `confcom and npm: Node ${versions.confcom}; limit: ${versions.limit}`,
    "",
  );
  for (const { what, measured, atLeast, met } of verdicts) {
    const digits = atLeast >= 1000 ? 0 : 2;
    lines.push(`${met ? "met    " : "NOT MET"}  ${what}: ${measured.toFixed(digits)}, target at least ${atLeast}`);
  }
  return `${lines.join("\n")}\n`;
}
