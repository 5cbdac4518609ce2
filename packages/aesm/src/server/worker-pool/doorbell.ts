const BELL = 0;
const CALLED = 1;
const AWAKE = 2;
const CELLS = 3;

/**
 * How a thread that sleeps is woken, and by whom: by the main thread because it has sent a message, by the lead loop
 * because there is work. Shared by all threads of a pool; one bell per worker.
 */
export class Doorbells {
  /** Bytes of shared memory for `count` workers. */
  static byteLength(count: number): number {
    return count * CELLS * Int32Array.BYTES_PER_ELEMENT;
  }

  readonly #cells: Int32Array;
  readonly #count: number;

  constructor(buffer: SharedArrayBuffer) {
    this.#cells = new Int32Array(buffer);
    this.#count = this.#cells.length / CELLS;
  }

  /** Wakes a worker, which looks for messages and goes back to sleep. Harmless when it is awake. */
  ring(worker: number): void {
    Atomics.add(this.#cells, worker * CELLS + BELL, 1);
    Atomics.notify(this.#cells, worker * CELLS + BELL);
  }

  /** Calls the first worker after the lead that sleeps, to serve; false when all are awake. */
  callOne(): boolean {
    for (let worker = 1; worker < this.#count; worker++) {
      if (Atomics.compareExchange(this.#cells, worker * CELLS + AWAKE, 0, 1) !== 0) continue;
      Atomics.store(this.#cells, worker * CELLS + CALLED, 1);
      this.ring(worker);
      return true;
    }
    return false;
  }

  /** Rings so far: what {@link sleep} compares with, so that a ring between two sleeps is not missed. */
  rings(worker: number): number {
    return Atomics.load(this.#cells, worker * CELLS + BELL);
  }

  /** Blocks the thread until its bell rings more often than `heard`, at most `ms`. Returns whether it was called to serve. */
  sleep(worker: number, heard: number, ms: number): boolean {
    Atomics.store(this.#cells, worker * CELLS + AWAKE, 0);
    Atomics.wait(this.#cells, worker * CELLS + BELL, heard, ms);
    const called = Atomics.exchange(this.#cells, worker * CELLS + CALLED, 0) === 1;
    Atomics.store(this.#cells, worker * CELLS + AWAKE, called ? 1 : 0);
    return called;
  }
}
