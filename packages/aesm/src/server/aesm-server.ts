import { createServer, type Server, type Socket } from "node:net";
import { ATTESTATION_ALGORITHM } from "@confcom/sgx";
import { AesmError } from "../errors.ts";
import { FRAME_HEADER_SIZE, readFrameHeader } from "../framing.ts";
import { replyCapacity } from "../messages/reply-writer.ts";
import type { QuotingPlatform } from "../platform.ts";
import { Connection, type ConnectionOwner } from "./connection.ts";
import { ServerCounters } from "./counters.ts";
import { descriptorOf, peerIsGone, readAvailable, writeAvailable } from "./descriptor.ts";
import { Dispatcher, NEEDS_PLATFORM, SILENCE } from "./dispatch.ts";
import { type DropReason, EventReporter, type ServerLog } from "./events.ts";
import { type AcceptedHandle, FastAccept } from "./fast-accept.ts";
import { DEFAULT_LIMITS, type LimitsInForce, type ServerLimits } from "./limits.ts";
import { OpenConnections } from "./open-connections.ts";
import type { PlatformCall } from "./platform-call.ts";
import { PlatformLane } from "./platform-lane.ts";
import { EXECUTED_TOO_LONG, QUEUE_FULL, refusalOf, WAITED_TOO_LONG } from "./refusal.ts";

export interface AesmServerOptions {
  readonly platform: QuotingPlatform;
  readonly limits?: Partial<ServerLimits>;
  /** "fast" answers in the turn that accepts, with the stream path as fallback; "stream" takes the stream path always. */
  readonly path?: "fast" | "stream";
  /** Algorithm that breaks ties in select_att_key_id; default ECDSA-P256. */
  readonly defaultAlgorithm?: number;
  readonly log?: ServerLog;
  readonly counters?: ServerCounters;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
}

/** A platform call whose answer comes later; without `outcome` it has not begun. */
interface Deferred {
  readonly call: PlatformCall;
  readonly abort: AbortController | undefined;
  readonly outcome: Promise<void> | undefined;
}

/** A listening backlog; the kernel caps it at net.core.somaxconn. */
const BACKLOG = 4096;
const SWEEP_INTERVAL = 100;

/**
 * The AESM service on one event loop (spec: AESM §2, §3, §7 and what is "worth doing better" there): one request and
 * one reply per connection, reply in one write, every bound of {@link ServerLimits}.
 */
export class AesmServer implements ConnectionOwner {
  readonly counters: ServerCounters;
  /** Called for every accepted connection. */
  onAccept: (() => void) | undefined;

  readonly #inForce: LimitsInForce;
  #fast: boolean;
  readonly #now: () => number;
  readonly #events: EventReporter;
  readonly #dispatcher: Dispatcher;
  readonly #lane: PlatformLane;
  readonly #server: Server;
  /** Reused by every request of the fast path: it is answered before the next one is read. */
  #request: Uint8Array;
  #reply: Uint8Array;
  readonly #open: OpenConnections;
  readonly #fastAccept = new FastAccept();
  /** What the fast path had read of a request it leaves to the ordinary path. */
  #firstBytes: Uint8Array | undefined;
  #deferred: Deferred | undefined;
  #acceptedNow = 0;
  #sweeper: NodeJS.Timeout | undefined;

  constructor(options: AesmServerOptions) {
    this.#inForce = { current: { ...DEFAULT_LIMITS, ...options.limits } };
    this.#fast = (options.path ?? "fast") === "fast";
    this.#now = options.now ?? (() => performance.now());
    this.#events = new EventReporter(options.log, this.#inForce, this.#now);
    this.counters = options.counters ?? new ServerCounters();
    this.#open = new OpenConnections(this.#inForce, this.counters);
    this.#dispatcher = new Dispatcher({
      platform: options.platform,
      limits: this.#inForce,
      defaultAlgorithm: options.defaultAlgorithm ?? ATTESTATION_ALGORITHM.ECDSA_P256,
      events: this.#events,
      counters: this.counters,
    });
    this.#lane = new PlatformLane({
      platform: options.platform,
      limits: this.#inForce,
      counters: this.counters,
      vanished: (connection) => this.#dropIfVanished(connection),
      settled: (connection, call, error) => this.#settled(connection, call, error),
    });
    this.#request = new Uint8Array(FRAME_HEADER_SIZE + this.#limits.maxMessage);
    this.#reply = new Uint8Array(replyCapacity(this.#limits.maxQuoteBuffer, this.#limits.maxMessage));
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => this.#accept(socket));
    this.#server.on("error", (error) => this.#events.serverError("the listening socket failed", error));
  }

  get #limits(): ServerLimits {
    return this.#inForce.current;
  }

  /** Goes over to other limits. Who is connected keeps the deadline it was given. */
  changeLimits(limits: ServerLimits): void {
    const { maxMessage, maxQuoteBuffer } = this.#limits;
    this.#inForce.current = limits;
    if (limits.maxMessage === maxMessage && limits.maxQuoteBuffer === maxQuoteBuffer) return;
    this.#request = new Uint8Array(FRAME_HEADER_SIZE + limits.maxMessage);
    this.#reply = new Uint8Array(replyCapacity(limits.maxQuoteBuffer, limits.maxMessage));
  }

  /** No connection is open, apart from one being answered in this very turn of the loop, and no answer is due. */
  get idle(): boolean {
    return this.#open.size === 0 && this.#lane.idle;
  }

  /** More than half of the connections that it may hold are open. */
  get crowded(): boolean {
    return 2 * this.#open.size > this.#inForce.current.maxConnections;
  }

  /** Listens on a bound descriptor, which several event loops may share, or on a path (for tests: no life cycle). */
  listen(target: { readonly fd: number } | { readonly path: string }): Promise<void> {
    return new Promise((resolve, reject) => {
      const closed = (): void => reject(new AesmError("SOCKET_BIND", "the server was closed before it listened"));
      this.#server.once("error", reject);
      this.#server.once("close", closed);
      this.#server.listen({ ...target, backlog: BACKLOG }, () => {
        this.#server.off("error", reject);
        this.#server.off("close", closed);
        if (this.#fast) this.#fast = this.#fastAccept.install(this.#server, (handle) => this.#take(handle));
        resolve();
      });
    });
  }

  /**
   * Ends when nobody is left to serve: no connection came for `quiet` ms, so that what sat in the backlog has been
   * accepted, and every request has its answer; or when `deadline` ms have passed. Goes on accepting meanwhile.
   * Call it when the path no longer leads here. Returns whether all were served.
   */
  async drain(options: { readonly deadline?: number; readonly quiet?: number } = {}): Promise<boolean> {
    const end = this.#now() + (options.deadline ?? this.#limits.answerTimeout + this.#limits.writeTimeout);
    let seen = -1;
    while (this.#acceptedNow !== seen || this.#open.size > 0 || !this.#lane.idle) {
      if (this.#now() >= end) return false;
      seen = this.#acceptedNow;
      await new Promise((resolve) => setTimeout(resolve, options.quiet ?? 50));
    }
    return true;
  }

  /** Stops listening (the descriptor is closed) and drops what is still open. {@link drain} first to lose nothing. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      for (const connection of [...this.#open]) connection.close();
      this.#stopSweeping();
    });
  }

  /** The ordinary path: what the fast one left, or everything when there is none. */
  #accept(socket: Socket): void {
    if (this.#fastAccept.captures(socket)) return;
    if (!this.#fast) this.#countAccepted();
    const first = this.#firstBytes;
    this.#firstBytes = undefined;
    this.#keepReceiving(socket, first);
  }

  #countAccepted(): void {
    this.#acceptedNow++;
    this.counters.accepted();
    this.onAccept?.();
  }

  /** The fast path: one read, the answer, one write, close. Returns false to leave the connection to `#accept`. */
  #take(handle: AcceptedHandle): boolean {
    this.#countAccepted();
    const request = this.#request;
    const received = readAvailable(handle.fd, request);
    if (received === 0 || received === -2) {
      handle.close();
      return true;
    }
    if (received >= FRAME_HEADER_SIZE) {
      const bodySize = readFrameHeader(request);
      if (bodySize > this.#limits.maxMessage) {
        this.dropped("message-too-large");
        handle.close();
        return true;
      }
      if (received >= FRAME_HEADER_SIZE + bodySize) {
        this.#serve(handle, request, FRAME_HEADER_SIZE + bodySize);
        return true;
      }
    }
    if (received > 0) this.#firstBytes = request.slice(0, received);
    return false;
  }

  /** Answers a whole request in this turn of the loop, if the platform can. */
  #serve(handle: AcceptedHandle, frame: Uint8Array, end: number): void {
    let length = this.#dispatcher.dispatch(frame, FRAME_HEADER_SIZE, end, this.#reply);
    if (length === NEEDS_PLATFORM) {
      length = this.#callPlatform(handle.fd);
      if (length === NEEDS_PLATFORM) {
        this.#keepHandle(handle, (connection) => this.#answerLater(connection));
        return;
      }
    }
    if (length > 0) {
      const written = writeAvailable(handle.fd, this.#reply, length);
      if (written >= 0 && written < length) {
        const rest = this.#reply.slice(written, length);
        this.#keepHandle(handle, (connection) => connection.send(rest, this.#now() + this.#limits.writeTimeout));
        return;
      }
    }
    handle.close();
  }

  #keepHandle(handle: AcceptedHandle, then: (connection: Connection) => void): void {
    this.counters.fellBack();
    const socket = this.#fastAccept.socketFor(handle);
    if (socket === undefined) handle.close();
    else then(this.#keep(socket, "executing", Number.POSITIVE_INFINITY));
  }

  /**
   * Runs the dispatcher's call. Returns the reply's length, SILENCE for a vanished caller, or NEEDS_PLATFORM when the
   * answer comes later: `#answerLater` must follow at once.
   */
  #callPlatform(fd: number): number {
    const call = this.#dispatcher.call as PlatformCall;
    this.#dispatcher.call = undefined;
    if (!this.#lane.free) {
      if (this.#lane.full) return this.#dispatcher.fail(call, QUEUE_FULL, this.#reply);
      this.#deferred = { call, abort: undefined, outcome: undefined };
      return NEEDS_PLATFORM;
    }
    const atOnce = this.#lane.answersAtOnce;
    if (!atOnce && peerIsGone(fd)) {
      this.dropped("caller-vanished");
      return SILENCE;
    }
    const abort = atOnce ? undefined : new AbortController();
    try {
      const outcome = this.#lane.begin(call, abort);
      if (outcome === undefined) return this.#dispatcher.succeed(call, this.#reply);
      this.#deferred = { call, abort, outcome };
      return NEEDS_PLATFORM;
    } catch (error) {
      return this.#dispatcher.fail(call, refusalOf(error), this.#reply);
    }
  }

  #answerLater(connection: Connection): void {
    const { call, abort, outcome } = this.#deferred as Deferred;
    this.#deferred = undefined;
    connection.call = call;
    connection.abort = abort;
    connection.deadline = this.#now() + this.#limits.answerTimeout;
    if (outcome === undefined) {
      connection.state = "waiting";
      this.#lane.wait(connection);
    } else {
      connection.state = "executing";
      this.#lane.follow(connection, call, outcome);
    }
  }

  requestArrived(connection: Connection, frame: Uint8Array): void {
    this.#open.received(connection);
    let length = this.#dispatcher.dispatch(frame, FRAME_HEADER_SIZE, frame.length, this.#reply);
    if (length === NEEDS_PLATFORM) length = this.#callPlatform(descriptorOf(connection.socket));
    if (length > 0) this.#sendLater(connection, length);
    else if (length === NEEDS_PLATFORM) this.#answerLater(connection);
    else connection.close();
  }

  #settled(connection: Connection, call: PlatformCall, error: unknown): void {
    if (connection.state !== "executing") return;
    connection.call = undefined;
    connection.abort = undefined;
    const length =
      error === undefined
        ? this.#dispatcher.succeed(call, this.#reply)
        : this.#dispatcher.fail(call, refusalOf(error), this.#reply);
    this.#sendLater(connection, length);
  }

  #sendLater(connection: Connection, length: number): void {
    connection.send(this.#reply.slice(0, length), this.#now() + this.#limits.writeTimeout);
  }

  #keepReceiving(socket: Socket, first: Uint8Array | undefined): void {
    const connection = this.#keep(socket, "receiving", this.#now() + this.#limits.receiveTimeout);
    if (this.#fast) this.counters.fellBack();
    connection.receive(this.#limits.maxMessage, first);
  }

  #keep(socket: Socket, state: "receiving" | "waiting" | "executing", deadline: number): Connection {
    this.#open.makeRoom();
    const connection = new Connection(this, socket, state, deadline);
    this.#open.add(connection);
    this.#sweeper ??= setInterval(() => this.#sweep(), SWEEP_INTERVAL);
    return connection;
  }

  receivedBytes(change: number): void {
    this.#open.countBytes(change);
  }

  dropped(reason: DropReason): void {
    this.counters.dropped(reason);
    this.#events.dropped(reason);
  }

  closed(connection: Connection): void {
    this.#open.remove(connection);
    this.#lane.leave(connection);
    if (this.#open.size === 0) this.#stopSweeping();
  }

  #dropIfVanished(connection: Connection): boolean {
    if (!peerIsGone(descriptorOf(connection.socket))) return false;
    connection.drop("caller-vanished");
    return true;
  }

  /** Every deadline in one place and one timer, which runs only while somebody is being waited for. */
  #sweep(): void {
    const now = this.#now();
    for (const connection of this.#open) {
      const late = now >= connection.deadline;
      switch (connection.state) {
        case "receiving":
          if (late) connection.drop("receive-timeout");
          break;
        case "writing":
          if (connection.madeProgress()) connection.deadline = now + this.#limits.writeTimeout;
          else if (late) connection.drop("write-stalled");
          break;
        case "waiting":
        case "executing":
          if (!this.#dropIfVanished(connection) && late) this.#giveUp(connection);
          break;
        default:
          break;
      }
    }
  }

  #giveUp(connection: Connection): void {
    const refusal = connection.state === "waiting" ? WAITED_TOO_LONG : EXECUTED_TOO_LONG;
    const call = connection.call as PlatformCall;
    this.#lane.leave(connection);
    connection.abort?.abort();
    connection.abort = undefined;
    connection.call = undefined;
    this.#sendLater(connection, this.#dispatcher.fail(call, refusal, this.#reply));
  }

  #stopSweeping(): void {
    clearInterval(this.#sweeper);
    this.#sweeper = undefined;
  }
}
