import { Worker } from "node:worker_threads";
import type { CertificationCa } from "../../request.ts";
import type { PackedChanges } from "../../store/packed-changes.ts";
import type { CollateralStore, PlatformKey } from "../../store/store.ts";
import { ServiceRefusal } from "../status.ts";
import type { ImportReply, ImportRequest, ImportSettings } from "./messages.ts";

interface Waiting {
  resolve(changes: PackedChanges): void;
  reject(error: unknown): void;
}

/**
 * PUT /platformcollateral under trusted roots: everything is checked, in a thread of its own, which starts with the first
 * import. What comes back is for one transaction.
 */
export class PlatformImports {
  readonly #store: CollateralStore;
  readonly #settings: ImportSettings;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #next = 0;
  #closed = false;

  constructor(store: CollateralStore, trustedRoots: readonly Uint8Array[]) {
    this.#store = store;
    this.#settings = { trustedRoots };
  }

  /**
   * `json`: the document in UTF-8; it is handed over to the thread and empty afterwards. Fails with ServiceRefusal 400 for
   * its form, 460 for what is not genuine, 503 when the service stops.
   */
  async read(json: Uint8Array): Promise<readonly PackedChanges[]> {
    const rootCaCrl = (await this.#store.rootCaCrl())?.crl;
    const pckChains = { processor: await this.#chain("processor"), platform: await this.#chain("platform") };
    const worker = this.#running();
    const id = this.#next++;
    const whole = ownBuffer(json);
    const changes = new Promise<PackedChanges>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    worker.ref();
    worker.postMessage({ kind: "check", id, json: whole, rootCaCrl, pckChains } satisfies ImportRequest, [
      whole.buffer,
    ]);
    return [await changes];
  }

  /** Imports under way fail. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#worker?.terminate();
  }

  async #chain(ca: CertificationCa): Promise<string | undefined> {
    return (await this.#store.pckChain(ca)) ?? (await this.#store.pckCrl(ca))?.issuerChain;
  }

  #running(): Worker {
    if (this.#closed) throw new ServiceRefusal(503, "the service stops");
    if (this.#worker !== undefined) return this.#worker;
    const worker = new Worker(workerEntry(), { workerData: this.#settings, name: "collateral-imports" });
    worker.on("message", (reply: ImportReply) => this.#replied(worker, reply));
    worker.on("error", (error) => this.#ended(worker, error));
    worker.on("exit", () => this.#ended(worker, undefined));
    this.#worker = worker;
    return worker;
  }

  #replied(worker: Worker, reply: ImportReply): void {
    if (reply.kind === "raw-tcbs") {
      void this.#tellRawTcbs(worker, reply.id, reply.keys);
      return;
    }
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    // Without work it keeps no process alive.
    if (this.#waiting.size === 0) worker.unref();
    if (reply.kind === "changes") waiting?.resolve(reply.changes);
    else if (reply.kind === "refused") waiting?.reject(new ServiceRefusal(reply.status, reply.reason));
    else waiting?.reject(new Error(`the import could not be checked: ${reply.reason}`));
  }

  async #tellRawTcbs(worker: Worker, id: number, keys: readonly PlatformKey[]): Promise<void> {
    try {
      const rawTcbs = await Promise.all(keys.map((key) => this.#store.rawTcbs(key)));
      worker.postMessage({ kind: "raw-tcbs", id, rawTcbs } satisfies ImportRequest);
    } catch (error) {
      // The thread goes on waiting for an import that nobody waits for any more; the next one has its own number.
      this.#waiting.get(id)?.reject(error);
      this.#waiting.delete(id);
    }
  }

  /** What waits fails; the next import starts another thread. */
  #ended(worker: Worker, cause: unknown): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    const why = this.#closed
      ? new ServiceRefusal(503, "the service stops")
      : new Error("the thread that checks imports has ended", { cause });
    for (const { reject } of this.#waiting.values()) reject(why);
    this.#waiting.clear();
  }
}

/** Bytes whose memory is theirs alone, so that it can change hands. */
function ownBuffer(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset, length } = bytes;
  const own = buffer instanceof ArrayBuffer && byteOffset === 0 && buffer.byteLength === length;
  return own ? new Uint8Array(buffer) : new Uint8Array(bytes);
}

/** The worker's module: beside this one as source, beside the entry point in the bundle. */
function workerEntry(): URL {
  return new URL(import.meta.url.endsWith(".ts") ? "./worker.ts" : "./collateral-import-worker.mjs", import.meta.url);
}
