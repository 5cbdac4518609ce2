import { column } from "../column.ts";
import { type AdmissionResults, type AdmissionRow, describe } from "./measure.ts";

/** What the project promises: the handler's 99th percentile, ms. */
const HANDLER_P99_MS = 5;

export interface AdmissionVerdict {
  readonly what: string;
  readonly measured: number;
  readonly target: string;
  readonly met: boolean;
}

/** Every promise beside what was measured; nothing fails here. */
export function judgeAdmission({ rows }: AdmissionResults): AdmissionVerdict[] {
  return rows.map((row) => ({
    what: `webhook, ${describe(row)}: handler p99, ms`,
    measured: row.handler.p99Ms,
    target: `under ${HANDLER_P99_MS}`,
    met: row.handler.p99Ms < HANDLER_P99_MS,
  }));
}

/** The results as text for a terminal of 110 columns. */
export function renderAdmission(results: AdmissionResults, verdicts: readonly AdmissionVerdict[]): string {
  const lines = [
    `admission webhook over TLS: requests of ${results.requestBytes} bytes, answers of ${results.answerBytes}`,
    "                     requests/s   CPU us/request     of      handler ms     p50 us seen     p99 us seen",
    "load             confcom  limit  confcom  limit  limit    p50    p99  confcom  limit  confcom  limit",
    ...results.rows.map(row),
    "",
    ...verdicts.map(
      ({ what, measured, target, met }) =>
        `${met ? "met    " : "NOT MET"}  ${what}: ${measured.toFixed(2)}, target ${target}`,
    ),
  ];
  return `${lines.join("\n")}\n`;
}

function row({ confcom, limit, handler, ofLimit, ...load }: AdmissionRow): string {
  return [
    describe(load).padEnd(16),
    column(confcom.perSecond, 7),
    column(limit.perSecond, 6),
    column(confcom.cpuMicroseconds, 8),
    column(limit.cpuMicroseconds, 6),
    column(ofLimit, 6, 2),
    column(handler.p50Ms, 6, 2),
    column(handler.p99Ms, 6, 2),
    column(confcom.p50Microseconds, 8),
    column(limit.p50Microseconds, 6),
    column(confcom.p99Microseconds, 8),
    column(limit.p99Microseconds, 6),
  ].join(" ");
}
