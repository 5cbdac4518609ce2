import { DISPATCH_ORDER, OPERATION_LIMIT, operationName } from "../messages/operations.ts";
import type { DropReason } from "./events.ts";

const DROP_REASONS: readonly DropReason[] = [
  "malformed",
  "message-too-large",
  "receive-timeout",
  "too-many-connections",
  "too-many-bytes",
  "write-stalled",
  "caller-vanished",
];

/** Answers are counted per code; codes from 63 on share the last place. */
const CODE_LIMIT = 64;
const ANSWERS = OPERATION_LIMIT * CODE_LIMIT;
const DROPS = ANSWERS;
const ACCEPTED = DROPS + DROP_REASONS.length;
const FALLBACKS = ACCEPTED + 1;
const OPEN = ACCEPTED + 2;
const WAITING = ACCEPTED + 3;
const EXECUTING = ACCEPTED + 4;
const CELLS = ACCEPTED + 5;

export interface CountersSnapshot {
  readonly answers: readonly { readonly operation: string; readonly code: number; readonly count: number }[];
  readonly dropped: Readonly<Record<DropReason, number>>;
  readonly accepted: number;
  /** Connections that left the fast path. */
  readonly fallbacks: number;
  /** Connections open now, apart from those being answered in this very turn of the loop. */
  readonly open: number;
  readonly waiting: number;
  readonly executing: number;
}

/**
 * Counts of one event loop, in memory that may be shared: the loop writes, another thread may read at any time and so
 * has metrics without asking anybody.
 */
export class ServerCounters {
  static readonly byteLength = CELLS * Float64Array.BYTES_PER_ELEMENT;

  readonly #cells: Float64Array;

  constructor(buffer: ArrayBuffer | SharedArrayBuffer = new ArrayBuffer(ServerCounters.byteLength)) {
    this.#cells = new Float64Array(buffer, 0, CELLS);
  }

  answered(operation: number, code: number): void {
    this.#add(operation * CODE_LIMIT + (code < CODE_LIMIT ? code : CODE_LIMIT - 1), 1);
  }

  dropped(reason: DropReason): void {
    this.#add(DROPS + DROP_REASONS.indexOf(reason), 1);
  }

  accepted(): void {
    this.#add(ACCEPTED, 1);
  }

  fellBack(): void {
    this.#add(FALLBACKS, 1);
  }

  open(change: 1 | -1): void {
    this.#add(OPEN, change);
  }

  lane(waiting: number, executing: number): void {
    this.#cells[WAITING] = waiting;
    this.#cells[EXECUTING] = executing;
  }

  snapshot(): CountersSnapshot {
    const cell = (index: number): number => this.#cells[index] as number;
    const answers: { operation: string; code: number; count: number }[] = [];
    for (const number of DISPATCH_ORDER) {
      for (let code = 0; code < CODE_LIMIT; code++) {
        const count = cell(number * CODE_LIMIT + code);
        if (count !== 0) answers.push({ operation: operationName(number), code, count });
      }
    }
    const dropped = Object.fromEntries(DROP_REASONS.map((reason, i) => [reason, cell(DROPS + i)])) as Record<
      DropReason,
      number
    >;
    return {
      answers,
      dropped,
      accepted: cell(ACCEPTED),
      fallbacks: cell(FALLBACKS),
      open: cell(OPEN),
      waiting: cell(WAITING),
      executing: cell(EXECUTING),
    };
  }

  #add(index: number, change: number): void {
    this.#cells[index] = (this.#cells[index] as number) + change;
  }
}
