import type { VerificationResults } from "./measure.ts";

/** What the project promises of verification. */
const OF_LIMIT = 0.6;
const TIMES_NPM = { cold: 5, warm: 20 } as const;
const SCALING = 1.8;
const PARSED_PER_SECOND = 100_000;

export interface VerificationVerdict {
  readonly what: string;
  readonly measured: number;
  readonly atLeast: number;
  readonly met: boolean;
}

function verdict(what: string, measured: number, atLeast: number): VerificationVerdict {
  return { what, measured, atLeast, met: measured >= atLeast };
}

/** Every promise beside what was measured. Nothing fails here: the reader, or the program that reads the JSON, decides. */
export function judgeVerification({ rows, parsing, scaling }: VerificationResults): VerificationVerdict[] {
  return [
    ...rows.flatMap(({ input, workload, ofLimit, timesNpm }) => [
      verdict(`${input}, ${workload}, of its limit`, ofLimit, OF_LIMIT),
      verdict(`${input}, ${workload}, times the npm library`, timesNpm, TIMES_NPM[workload]),
    ]),
    ...parsing.map(({ input, microseconds }) =>
      verdict(`${input}, quotes parsed a second`, 1e6 / microseconds, PARSED_PER_SECOND),
    ),
    verdict("two workers, times one", scaling.factor, SCALING),
  ];
}
