import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { AesmError } from "../../errors.ts";
import { ServerCounters } from "../counters.ts";
import type { ServerEvent } from "../events.ts";
import { Doorbells } from "./doorbell.ts";
import { carryError, type FromWorker, restoreError, type ToWorker, type WorkerStart } from "./protocol.ts";
import { LeadLoop, type LoopServer, SpareLoop } from "./spare-loop.ts";

/** What a worker knows and may ask. */
export interface WorkerContext<State, Request, Reply> {
  readonly index: number;
  readonly count: number;
  /** The shared, bound descriptor: `server.listen({ fd })`. */
  readonly fd: number;
  readonly initialState: State;
  /** The caller's `data`. */
  readonly data: unknown;
  /** Counters that the main thread reads. */
  readonly counters: ServerCounters;
  /** Asks the main thread; fails with what `onRequest` threw, a QuotingError with its codes. */
  request(request: Request): Promise<Reply>;
  /** Hands an event to the main thread's log. */
  report(event: ServerEvent): void;
}

/** What a worker does. */
export interface WorkerDuties<State> {
  /** Takes a new state, before the main thread announces it to anybody. */
  onState(state: State): void | Promise<void>;
  /** The server that listens on the shared socket: with it, all workers but the first sleep while the first can cope. */
  readonly server?: LoopServer;
  /** Answers everybody who had connected; then the thread is ended. */
  drain(deadlineMs: number): Promise<unknown>;
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/**
 * The worker's side of the pool, called once by its entry module. `start` listens and returns the duties; a failure of
 * it ends the worker and with it the pool's start.
 */
export async function attachWorker<State, Request, Reply>(
  start: (context: WorkerContext<State, Request, Reply>) => Promise<WorkerDuties<State>>,
): Promise<void> {
  const port = parentPort as MessagePort | null;
  if (port === null) throw new AesmError("WORKER_START", "a worker entry was run outside of a worker thread");
  const { index, count, fd, state, counters, data, bells } = workerData as WorkerStart;
  const waiting = new Map<number, Waiting>();
  let requests = 0;
  const say = (message: FromWorker): void => port.postMessage(message);
  let duties: WorkerDuties<State> | undefined;
  let spare: SpareLoop | undefined;
  let drainWhenStarted: number | undefined;
  const drain = (started: WorkerDuties<State>, deadlineMs: number): void => {
    spare?.retire();
    void started.drain(deadlineMs).finally(() => say({ kind: "drained" }));
  };
  // Before the start, which may ask the main thread already.
  port.on("message", (message: ToWorker) => {
    if (message.kind === "state") void takeState(message.id, message.state as State);
    else if (message.kind === "drain") {
      // The pool may be closed while it starts.
      if (duties === undefined) drainWhenStarted = message.deadlineMs;
      else drain(duties, message.deadlineMs);
    } else {
      const question = waiting.get(message.id);
      waiting.delete(message.id);
      if (message.kind === "reply") question?.resolve(message.value);
      else question?.reject(restoreError(message.error));
    }
  });
  duties = await start({
    index,
    count,
    fd,
    initialState: state as State,
    data,
    counters: new ServerCounters(counters),
    report: (event) => say({ kind: "event", event: cloneable(event) }),
    request: (request) =>
      new Promise<Reply>((resolve, reject) => {
        const id = ++requests;
        waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
        say({ kind: "request", id, request });
      }),
  });
  if (drainWhenStarted !== undefined) {
    drain(duties, drainWhenStarted);
    return;
  }
  say({ kind: "ready" });
  if (duties.server !== undefined && count > 1) {
    if (index > 0) spare = new SpareLoop(new Doorbells(bells), index, duties.server, () => performance.now());
    else new LeadLoop(new Doorbells(bells), duties.server, () => performance.eventLoopUtilization());
  }

  async function takeState(id: number, newState: State): Promise<void> {
    try {
      await duties?.onState(newState);
      say({ kind: "accepted", id });
    } catch (error) {
      say({ kind: "refused", id, error: carryError(error) });
    }
  }
}

/** Errors inside an event may hold what cannot be posted; their text is what the log needs. */
function cloneable(event: ServerEvent): ServerEvent {
  if (!("error" in event) || event.error === undefined) return event;
  return { ...event, error: carryError(event.error) };
}
