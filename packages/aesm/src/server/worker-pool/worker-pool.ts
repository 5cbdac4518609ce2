import { type ResourceLimits, Worker } from "node:worker_threads";
import { AesmError } from "../../errors.ts";
import { type CountersSnapshot, ServerCounters } from "../counters.ts";
import type { ServerEvent } from "../events.ts";
import { Doorbells } from "./doorbell.ts";
import { carryError, type FromWorker, restoreError, type ToWorker, type WorkerStart } from "./protocol.ts";

export interface WorkerPoolOptions<State, Request, Reply> {
  /** The module that calls `attachWorker`. */
  readonly entry: URL;
  readonly count: number;
  /** A bound socket; every worker listens on it. */
  readonly fd: number;
  /** What workers start with; they accept no connection before they have it. */
  readonly initialState: State;
  /** Handed to every worker as it is. */
  readonly data?: unknown;
  /** Answers a worker's question on the main thread, the only one that changes state. */
  readonly onRequest: (request: Request) => Reply | Promise<Reply>;
  readonly onEvent?: (event: ServerEvent) => void;
  /**
   * A worker ended without being told to. It has closed the shared descriptor for the whole process, so nobody can be
   * served any more: end the process at once, non-zero, and let its supervisor start it again.
   */
  readonly onDeath: (error: AesmError) => void;
  readonly resourceLimits?: ResourceLimits;
  /** For start and for each publication, in milliseconds. */
  readonly timeoutMs?: number;
}

/**
 * Memory bounds of a worker. A connection leaves garbage in the young generation only; the platform's state is a few
 * kilobytes. With Node's own defaults two workers grow past 100 MB before they collect.
 */
export const WORKER_RESOURCE_LIMITS: ResourceLimits = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 64 };

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Event loops in threads that share one listening socket, and their state, which has one writer: the main thread. */
export class WorkerPool<State, Request, Reply> {
  readonly #options: WorkerPoolOptions<State, Request, Reply>;
  readonly #workers: Worker[] = [];
  readonly #counters: ServerCounters[] = [];
  readonly #waiting = new Map<string, Waiting>();
  #bells: Doorbells | undefined;
  #publications = 0;
  #closing = false;
  #closed: Promise<void> | undefined;
  #dead = false;

  constructor(options: WorkerPoolOptions<State, Request, Reply>) {
    this.#options = options;
  }

  /** Starts all workers; resolves when every one listens. Use {@link startWorkerPool}. */
  async start(): Promise<void> {
    if (this.#closing) throw new AesmError("POOL_CLOSED", "the pool cannot be started: it is closed");
    const { count, fd, entry, initialState, data } = this.#options;
    const bells = new SharedArrayBuffer(Doorbells.byteLength(count));
    this.#bells = new Doorbells(bells);
    for (let index = 0; index < count; index++) {
      const shared = new SharedArrayBuffer(ServerCounters.byteLength);
      const start: WorkerStart = { index, count, fd, state: initialState, counters: shared, data, bells };
      const worker = new Worker(entry, {
        workerData: start,
        resourceLimits: this.#options.resourceLimits ?? WORKER_RESOURCE_LIMITS,
      });
      this.#counters.push(new ServerCounters(shared));
      this.#workers.push(worker);
      worker.on("message", (message: FromWorker) => this.#receive(index, message));
      worker.on("error", (error) => this.#died(index, error));
      worker.on("exit", (code) => this.#died(index, new Error(`it exited with code ${code}`)));
    }
    try {
      await this.#all("ready", "WORKER_START");
    } catch (error) {
      this.#release();
      throw error;
    }
  }

  /** Gives every worker a new state; resolves when all have taken it, so that no request meets the old one afterwards. */
  async publish(state: State): Promise<void> {
    if (this.#closing || this.#dead)
      throw new AesmError("POOL_CLOSED", "the state cannot be published: the pool is closed");
    const id = ++this.#publications;
    const taken = this.#all(`accepted ${id}`, "WORKER_TIMEOUT");
    // A state that cannot be cloned fails below; the wait then ends unheard.
    taken.catch(() => undefined);
    for (const worker of this.#workers) this.#post(worker, { kind: "state", id, state });
    await taken;
  }

  /** The counters of every worker, read without asking it. */
  counters(): CountersSnapshot[] {
    return this.#counters.map((counters) => counters.snapshot());
  }

  /**
   * Lets every worker answer who has connected, bounded by `deadlineMs`, whatever a worker does. Call it when the path no
   * longer leads here. The threads are then left to end with the process, which they no longer keep alive: each would
   * close the one shared descriptor number on its way out, and the second might close somebody else's file under it.
   * Whoever calls it again waits for the same end. A start under way fails with `POOL_CLOSED`.
   */
  close(deadlineMs = 16_000): Promise<void> {
    this.#closed ??= this.#closing ? Promise.resolve() : this.#end(deadlineMs);
    return this.#closed;
  }

  async #end(deadlineMs: number): Promise<void> {
    this.#closing = true;
    this.#rejectAll(new AesmError("POOL_CLOSED", "the pool was closed meanwhile"));
    if (!this.#dead) {
      const drained = this.#all("drained", "WORKER_TIMEOUT", deadlineMs + 100);
      for (const worker of this.#workers) this.#post(worker, { kind: "drain", deadlineMs });
      await drained.catch(() => undefined);
    }
    this.#release();
  }

  /** Resolves when every worker has sent the message of that name. */
  async #all(what: string, onTimeout: "WORKER_START" | "WORKER_TIMEOUT", timeoutMs?: number): Promise<void> {
    const limit = timeoutMs ?? this.#options.timeoutMs ?? 10_000;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const message = `a worker did not say "${what}" within ${limit} ms`;
      timer = setTimeout(() => reject(new AesmError(onTimeout, message)), limit);
    });
    const keys = this.#workers.map((_, index) => `${index} ${what}`);
    const said = keys.map((key) => new Promise<void>((resolve, reject) => this.#waiting.set(key, { resolve, reject })));
    try {
      await Promise.race([Promise.all(said), late]);
    } finally {
      clearTimeout(timer);
      for (const key of keys) this.#waiting.delete(key);
    }
  }

  #receive(index: number, message: FromWorker): void {
    switch (message.kind) {
      case "ready":
      case "drained":
        this.#waiting.get(`${index} ${message.kind}`)?.resolve();
        break;
      case "accepted":
        this.#waiting.get(`${index} accepted ${message.id}`)?.resolve();
        break;
      case "refused":
        this.#waiting.get(`${index} accepted ${message.id}`)?.reject(restoreError(message.error));
        break;
      case "event":
        this.#options.onEvent?.(message.event as ServerEvent);
        break;
      case "request":
        void this.#answer(index, message.id, message.request as Request);
        break;
    }
  }

  async #answer(index: number, id: number, request: Request): Promise<void> {
    const worker = this.#workers[index] as Worker;
    try {
      this.#post(worker, { kind: "reply", id, value: await this.#options.onRequest(request) });
    } catch (error) {
      this.#post(worker, { kind: "failure", id, error: carryError(error) });
    }
  }

  #post(worker: Worker, message: ToWorker): void {
    worker.postMessage(message);
    this.#bells?.ring(this.#workers.indexOf(worker));
  }

  #died(index: number, cause: unknown): void {
    // Whoever is waited for at the end and is gone has nobody left to serve.
    this.#waiting.get(`${index} drained`)?.resolve();
    if (this.#closing || this.#dead) return;
    this.#dead = true;
    const why = cause instanceof Error ? cause.message : String(cause);
    const starting = this.#waiting.has(`${index} ready`);
    const error = new AesmError(starting ? "WORKER_START" : "WORKER_DIED", `worker ${index} ended: ${why}`, { cause });
    this.#rejectAll(error);
    if (!starting) this.#options.onDeath(error);
  }

  #rejectAll(error: AesmError): void {
    for (const { reject } of this.#waiting.values()) reject(error);
  }

  #release(): void {
    this.#closing = true;
    for (const worker of this.#workers) worker.unref();
  }
}

/** Starts the workers and waits until all of them listen. Throws `WORKER_START`. */
export async function startWorkerPool<State, Request, Reply>(
  options: WorkerPoolOptions<State, Request, Reply>,
): Promise<WorkerPool<State, Request, Reply>> {
  const pool = new WorkerPool(options);
  await pool.start();
  return pool;
}
