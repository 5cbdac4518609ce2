import { Worker } from "node:worker_threads";
import { CollateralError } from "../../errors.ts";
import type { StoreChange, StoredRegistration } from "../store.ts";
import { fromPortable } from "./failure.ts";
import { OPENED, type WorkerReply, type WorkerRequest, type WorkerSettings } from "./worker-messages.ts";

/** Rows that may wait to be written: beyond it somebody writes faster than the disk for longer than memory allows. */
const MAXIMUM_WAITING_ROWS = 500_000;

interface Waiting {
  readonly rows: number;
  resolve(reply: WorkerReply): void;
  reject(error: CollateralError): void;
}

type Request = WorkerRequest extends infer R ? (R extends { id: number } ? Omit<R, "id"> : never) : never;

/** The worker thread that owns the connection that writes. Its death fails all that waits and all that comes. */
export class WritingThread {
  readonly #worker: Worker;
  readonly #path: string;
  readonly #waiting = new Map<number, Waiting>();
  #rows = 0;
  #next = OPENED + 1;
  /** Why nothing can be written any more. */
  #ended: CollateralError | undefined;
  /** The last write failed: the next question for readiness tries one. */
  #doubtful = false;

  private constructor(worker: Worker, path: string, onDeath: (error: CollateralError) => void) {
    this.#worker = worker;
    this.#path = path;
    worker.on("message", (reply: WorkerReply) => this.#replied(reply));
    worker.on("error", (error) => this.#died(error, onDeath));
    worker.on("exit", () => this.#died(undefined, onDeath));
  }

  /** Fails with STORE_DAMAGED, STORE_BUSY, STORE_VERSION, STORE_FULL or STORE_IO when the database cannot be opened. */
  static async start(
    settings: WorkerSettings,
    path: string,
    onDeath: (error: CollateralError) => void,
    report: (line: string) => void,
  ): Promise<WritingThread> {
    const worker = new Worker(workerEntry(), { workerData: settings, name: "collateral-store" });
    let opened = false;
    const thread = new WritingThread(worker, path, (error) => {
      if (opened) onDeath(error);
    });
    const { warnings } = await new Promise<WorkerReply>((resolve, reject) => {
      thread.#waiting.set(OPENED, { rows: 0, resolve, reject });
    });
    opened = true;
    for (const warning of warnings ?? []) report(warning);
    return thread;
  }

  async write(changes: readonly StoreChange[]): Promise<void> {
    await this.#ask({ kind: "write", changes }, changes.length);
  }

  /** Of so many rows; `packed` is transferred. */
  async writePacked(packed: ArrayBuffer, rows: number): Promise<void> {
    await this.#ask({ kind: "write-packed", packed }, rows, [packed]);
  }

  async take(
    states: readonly StoredRegistration["state"][],
    maximumBytes: number | undefined,
  ): Promise<readonly StoredRegistration[]> {
    return (await this.#ask({ kind: "take", states, maximumBytes }, 1)).taken ?? [];
  }

  async backup(path: string): Promise<void> {
    await this.#ask({ kind: "backup", path }, 0);
  }

  /** Fails when a write would. */
  async ping(): Promise<void> {
    if (this.#ended !== undefined) throw this.#ended;
    if (this.#doubtful) await this.#ask({ kind: "probe" }, 0);
  }

  async close(): Promise<void> {
    if (this.#ended !== undefined) return;
    const closed = this.#ask({ kind: "close" }, 0);
    this.#ended = new CollateralError("STORE_IO", `${this.#path} is closed`);
    const exited = new Promise<void>((resolve) => this.#worker.once("exit", () => resolve()));
    await closed.catch(() => undefined);
    await exited;
  }

  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }

  #ask(request: Request, rows: number, transfer: readonly ArrayBuffer[] = []): Promise<WorkerReply> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    if (this.#rows > 0 && this.#rows + rows > MAXIMUM_WAITING_ROWS) {
      return Promise.reject(new CollateralError("STORE_BUSY", `${this.#path}: ${this.#rows} rows wait to be written`));
    }
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      // First, because what cannot be cloned fails here and waits for nothing.
      this.#worker.postMessage({ ...request, id }, transfer);
      this.#rows += rows;
      this.#waiting.set(id, { rows, resolve, reject });
    });
  }

  #replied(reply: WorkerReply): void {
    const waiting = this.#waiting.get(reply.id);
    if (waiting === undefined) return;
    this.#waiting.delete(reply.id);
    this.#rows -= waiting.rows;
    this.#doubtful = reply.failure !== undefined;
    if (reply.failure === undefined) waiting.resolve(reply);
    else waiting.reject(fromPortable(reply.failure));
  }

  #died(cause: unknown, onDeath: (error: CollateralError) => void): void {
    const expected = this.#ended !== undefined;
    this.#ended ??= new CollateralError("STORE_IO", `${this.#path}: the thread that writes it has ended`, { cause });
    for (const { reject } of this.#waiting.values()) reject(this.#ended);
    this.#waiting.clear();
    if (!expected) onDeath(this.#ended);
  }
}

/** The worker's module: beside this one as source, beside the entry point in the bundle. */
function workerEntry(): URL {
  return new URL(import.meta.url.endsWith(".ts") ? "./worker.ts" : "./collateral-store-worker.mjs", import.meta.url);
}
