import type { Doorbells } from "./doorbell.ts";

// The kernel wakes every event loop that waits on the shared listening socket for every connection, and all but one of them for
// nothing: with two loops and little load that doubles the cost of a request. So one loop, the lead, always listens, and
// the others sleep, blocked and therefore not waiting on the socket, until the lead has more work than it can do.

/** The lead calls for help when it was busy for this part of a window of at least WINDOW_MS... */
const BUSY = 0.95;
const WINDOW_MS = 4;
/** ...and not with connections alone, which the kernel's share dominates and a second loop does not make cheaper. */
const WORK_PER_REQUEST_MS = 0.02;
/** Accepts between two looks at the clock. */
const ACCEPTS_PER_LOOK = 16;

/** A called loop serves this long before it sleeps again; twice as long each time that it is called back at once. */
const FIRST_SHIFT_MS = 50;
const LONGEST_SHIFT_MS = 1_600;
const AT_ONCE_MS = 20;
/** Sleep ends unasked after this long for one turn of the loop, so that a lead that is stuck delays nobody for longer. */
const SLEEP_MS = 250;
/** Connections that outlived their accept have deadlines: a loop that holds any stays awake, and looks again after this long. */
const HELD_MS = 20;

/** What a pool asks of a worker's server. */
export interface LoopServer {
  /** No connection is open and no answer is due. */
  readonly idle: boolean;
  /** More than half of the connections that it may hold are open. */
  readonly crowded: boolean;
  /** Called for every accepted connection. */
  onAccept: (() => void) | undefined;
}

/** Busy and idle milliseconds of an event loop since its start: `performance.eventLoopUtilization`. */
export type LoopTimes = () => { readonly active: number; readonly idle: number };

/** The loop that always listens, and calls the others. */
export class LeadLoop {
  readonly #bells: Doorbells;
  readonly #times: LoopTimes;
  readonly #server: LoopServer;
  #accepted = 0;
  #active = 0;
  #idle = 0;

  constructor(bells: Doorbells, server: LoopServer, times: LoopTimes) {
    this.#bells = bells;
    this.#times = times;
    this.#server = server;
    server.onAccept = () => this.#look();
  }

  #look(): void {
    if (++this.#accepted % ACCEPTS_PER_LOOK !== 0) return;
    if (this.#server.crowded) this.#bells.callOne();
    const { active, idle } = this.#times();
    const busy = active - this.#active;
    const window = busy + idle - this.#idle;
    if (window < WINDOW_MS) return;
    if (busy > BUSY * window && busy > WORK_PER_REQUEST_MS * this.#accepted) this.#bells.callOne();
    this.#accepted = 0;
    this.#active = active;
    this.#idle = idle;
  }
}

/** A loop that sleeps until it is called. Its thread takes no message meanwhile: ring its bell after sending one. */
export class SpareLoop {
  readonly #bells: Doorbells;
  readonly #worker: number;
  readonly #server: LoopServer;
  readonly #now: () => number;
  #heard = 0;
  #shift = FIRST_SHIFT_MS;
  #retired = false;

  constructor(bells: Doorbells, worker: number, server: LoopServer, now: () => number) {
    this.#bells = bells;
    this.#worker = worker;
    this.#server = server;
    this.#now = now;
    setImmediate(() => this.#rest());
  }

  /** Never sleeps again: it is to answer whoever has connected, and end. */
  retire(): void {
    this.#retired = true;
  }

  #rest(): void {
    if (this.#retired) return;
    if (!this.#server.idle) {
      setTimeout(() => this.#rest(), HELD_MS).unref();
      return;
    }
    const from = this.#now();
    const called = this.#bells.sleep(this.#worker, this.#heard, SLEEP_MS);
    this.#heard = this.#bells.rings(this.#worker);
    if (!called) {
      // One turn: messages are taken, and a connection if one waits.
      setImmediate(() => this.#rest());
      return;
    }
    const atOnce = this.#now() - from < AT_ONCE_MS;
    this.#shift = atOnce ? Math.min(2 * this.#shift, LONGEST_SHIFT_MS) : FIRST_SHIFT_MS;
    setTimeout(() => this.#rest(), this.#shift).unref();
  }
}
