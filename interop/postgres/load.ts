import { setTimeout as sleep } from "node:timers/promises";
import type { Answer, Replica, Request } from "./replica.ts";

/** What became of requests, by status; 0 where no answer came. */
export class Tally {
  readonly #counts = new Map<number, number>();
  /** Answers that said to come back, and were followed. */
  retried = 0;

  constructor(answers: readonly Answer[] = []) {
    for (const answer of answers) this.count(answer);
  }

  count({ status }: Answer): void {
    this.#counts.set(status, (this.#counts.get(status) ?? 0) + 1);
  }

  of(status: number): number {
    return this.#counts.get(status) ?? 0;
  }

  get failed(): number {
    let failed = 0;
    for (const [status, count] of this.#counts) if (status !== 200) failed += count;
    return failed;
  }

  toString(): string {
    return [...this.#counts].map(([status, count]) => `${status}: ${count}`).join(", ") || "nothing";
  }
}

const PATIENCE = 60;

/** Asks again while it is told to come back, when it is told to, as a client of Intel's library does. */
export async function askUntilDecided(replica: Replica, request: Request, tally: Tally): Promise<Answer> {
  for (let tries = 1; ; tries++) {
    const answer = await replica.ask(request);
    if (answer.status !== 503 || answer.retryAfter === 0 || tries === PATIENCE) return answer;
    tally.retried++;
    await sleep(answer.retryAfter * 1_000);
  }
}

/** Clients that ask one replica for these in turn, as fast as they are answered, until they are stopped. */
export class Load {
  readonly tally = new Tally();
  stopped = false;
  readonly ended: Promise<void>;

  constructor(replica: Replica, requests: readonly Request[], clients: number) {
    let next = 0;
    const client = async () => {
      while (!this.stopped) {
        const answer = await replica.ask(requests[next++ % requests.length] as Request);
        this.tally.count(answer);
        // A replica that is gone is not asked in a tight loop.
        if (answer.status === 0) await sleep(20);
      }
    };
    this.ended = Promise.all(Array.from({ length: clients }, client)).then(() => undefined);
  }
}
