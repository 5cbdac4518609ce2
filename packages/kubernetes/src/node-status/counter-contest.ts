import type { Clock } from "../clock.ts";

interface Contest {
  /** What we wrote last. */
  quantity: string;
  /** How often somebody undid it. */
  undone: number;
  writtenAt: number;
  /** Whether the last write was seen undone. */
  seen: boolean;
}

const FIRST_WAIT = 1000;
const LONGEST_WAIT = 30_000;

/** From this many times on it is no coincidence. */
const NOTABLE = 3;

/** As long without anybody undoing it, ms, and the argument is forgotten. */
const PEACE = 120_000;

/**
 * Counters that somebody else keeps changing back: the kubelet during the 5 minutes after a device plugin stopped serving
 * the resource, or another writer for ever. Each is written less and less often, down to every 30 s.
 */
export class CounterContest {
  readonly #clock: Clock;
  readonly #contests = new Map<string, Contest>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counters that are not to be written yet. */
  notNow(): Set<string> {
    const now = this.#clock.now();
    return new Set([...this.#contests].filter(([, contest]) => now < dueAt(contest)).map(([name]) => name));
  }

  /** A read shows another value than the one that we wrote. */
  undone(name: string): void {
    const contest = this.#contests.get(name);
    if (contest === undefined || contest.seen) return;
    contest.seen = true;
    contest.undone = Math.min(contest.undone + 1, 30);
  }

  wrote(name: string, quantity: string): void {
    const before = this.#contests.get(name);
    const undone = before?.quantity === quantity ? before.undone : 0;
    this.#contests.set(name, { quantity, undone, writtenAt: this.#clock.now(), seen: false });
  }

  /** The node shows what we wrote. */
  holds(name: string): void {
    const contest = this.#contests.get(name);
    if (contest !== undefined && this.#clock.now() - contest.writtenAt > PEACE) contest.undone = 0;
  }

  /** We took it away ourselves, or it is the kubelet's now. */
  forget(name: string): void {
    this.#contests.delete(name);
  }

  /** Counters that somebody keeps changing. */
  contested(): string[] {
    return [...this.#contests].filter(([, { undone }]) => undone >= NOTABLE).map(([name]) => name);
  }
}

function dueAt({ undone, seen, writtenAt }: Contest): number {
  return seen ? writtenAt + Math.min(FIRST_WAIT * 2 ** (undone - 1), LONGEST_WAIT) : 0;
}
