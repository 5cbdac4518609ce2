import { Worker } from "node:worker_threads";
import {
  CollateralError,
  type CollateralRequest,
  type CollateralUpstream,
  type Fetched,
  type FetchOptions,
  type PckCertificates,
  type PlatformCredential,
} from "@confcom/collateral";
import { PlatformError } from "@confcom/quoting";
import type { PortableError, SoftwareCall, SoftwareReply, SoftwareThreadSettings } from "./messages.ts";

interface Waiting {
  resolve(result: Fetched | PckCertificates): void;
  reject(error: unknown): void;
}

type Call = SoftwareCall extends infer C ? (C extends { id: number } ? Omit<C, "id"> : never) : never;

/**
 * The software platform's authority, in a thread: a registration signs three certificates and syncs five files, which takes
 * tens of milliseconds in which nobody else would be answered.
 */
export class SoftwareThread implements CollateralUpstream {
  readonly kind = "software";
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  readonly #onWarning: (text: string) => void;
  #opened: { readonly name: string; readonly rootCertificatePem: string } | undefined;
  #next = 0;
  #ended = false;

  private constructor(worker: Worker, onWarning: (text: string) => void) {
    this.#worker = worker;
    this.#onWarning = onWarning;
  }

  /** Fails with PlatformError STATE_* when the directory cannot be used, as opening it here would. */
  static async start(path: string, onWarning: (text: string) => void): Promise<SoftwareThread> {
    const worker = new Worker(workerEntry(), {
      workerData: { path } satisfies SoftwareThreadSettings,
      name: "software-authority",
    });
    const thread = new SoftwareThread(worker, onWarning);
    await new Promise<void>((resolve, reject) => {
      worker.on("message", (reply: SoftwareReply) => thread.#replied(reply, resolve, reject));
      worker.on("error", (error) => thread.#died(error, reject));
      worker.on("exit", () => thread.#died(undefined, reject));
    });
    return thread;
  }

  get name(): string {
    return this.#opened?.name ?? "software platform's authority";
  }

  /** PEM. */
  get rootCertificatePem(): string {
    return this.#opened?.rootCertificatePem ?? "";
  }

  async fetch<R extends CollateralRequest>(request: R, { signal }: FetchOptions): Promise<Fetched<R>> {
    // The reply to a call is of its kind.
    return (await this.#ask({ kind: "fetch", request }, signal)) as unknown as Fetched<R>;
  }

  async pckCertificates(
    platform: PlatformCredential,
    pceId: string,
    { signal }: FetchOptions,
  ): Promise<PckCertificates> {
    return (await this.#ask({ kind: "certificates", platform, pceId }, signal)) as PckCertificates;
  }

  /** A registration under way is whole or not there, wherever it is stopped. */
  async close(): Promise<void> {
    this.#ended = true;
    await this.#worker.terminate();
  }

  #ask(call: Call, signal: AbortSignal): Promise<Fetched | PckCertificates> {
    if (signal.aborted) {
      return Promise.reject(new CollateralError("SOURCE_TIMEOUT", `${this.name}: no time left to answer`));
    }
    if (this.#ended) return Promise.reject(this.#gone());
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ ...call, id });
    });
  }

  #replied(reply: SoftwareReply, opened: () => void, failed: (error: unknown) => void): void {
    if ("warning" in reply) this.#onWarning(reply.warning);
    else if ("opened" in reply) {
      this.#opened = reply.opened;
      opened();
    } else if ("failure" in reply) {
      const error = fromPortable(reply.failure);
      if (reply.id === undefined) failed(error);
      else this.#take(reply.id)?.reject(error);
    } else this.#take(reply.id)?.resolve(reply.result);
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }

  #died(cause: unknown, failed: (error: unknown) => void): void {
    const error = this.#gone(cause);
    // Without effect where it had opened, or failed already.
    failed(error);
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
    if (!this.#ended && this.#opened !== undefined) this.#onWarning(error.message);
    this.#ended = true;
  }

  #gone(cause?: unknown): CollateralError {
    return new CollateralError("SOURCE_UNREACHABLE", `${this.name}: its thread has ended`, { cause });
  }
}

function fromPortable(failure: PortableError): Error {
  if (failure.kind === "platform") return new PlatformError(failure.code, failure.message);
  if (failure.kind === "other") return new Error(failure.message);
  const { code, message, source, status, retryAfterMs } = failure;
  return new CollateralError(code, message, {
    ...(source === undefined ? {} : { source }),
    ...(status === undefined ? {} : { status }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

/** The worker's module: beside this one as source, beside the entry point in the bundle. */
function workerEntry(): URL {
  return new URL(import.meta.url.endsWith(".ts") ? "./worker.ts" : "./software-authority-worker.mjs", import.meta.url);
}
