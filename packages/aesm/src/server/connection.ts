import type { Socket } from "node:net";
import { FrameAssembler } from "../framing.ts";
import { unsentBytes } from "./descriptor.ts";
import type { DropReason } from "./events.ts";
import type { PlatformCall } from "./platform-call.ts";

/** What a connection tells the server that owns it. */
export interface ConnectionOwner {
  /** Bytes of an incomplete request arrived (positive) or were let go of (negative). */
  receivedBytes(change: number): void;
  requestArrived(connection: Connection, frame: Uint8Array): void;
  dropped(reason: DropReason): void;
  closed(connection: Connection): void;
}

export type ConnectionState = "receiving" | "waiting" | "executing" | "writing" | "closed";

/**
 * A connection that cannot be answered in the turn of the loop that accepted it: its request is not complete, its answer
 * comes later, or its reader is slow. It has no timer: the server compares `deadline` with the clock now and then.
 */
export class Connection {
  readonly socket: Socket;
  state: ConnectionState;
  /** When the present state has lasted too long, in the server's clock. */
  deadline: number;
  call: PlatformCall | undefined;
  abort: AbortController | undefined;

  readonly #owner: ConnectionOwner;
  #frame: FrameAssembler | undefined;
  #unsent = 0;

  constructor(owner: ConnectionOwner, socket: Socket, state: "receiving" | "waiting" | "executing", deadline: number) {
    this.#owner = owner;
    this.socket = socket;
    this.state = state;
    this.deadline = deadline;
    socket.on("error", ignore);
    socket.on("close", () => this.close());
  }

  /** Collects the request; `first` is what was already read from the socket. */
  receive(limit: number, first: Uint8Array | undefined): void {
    this.#frame = new FrameAssembler(limit);
    if (first !== undefined) this.#take(first);
    if (this.state !== "receiving") return;
    this.socket.on("data", (chunk: Buffer) => {
      if (this.state === "receiving") this.#take(chunk);
    });
    this.socket.on("end", () => {
      if (this.state !== "receiving") return;
      if ((this.#frame?.received ?? 0) > 0) this.#owner.dropped("malformed");
      this.close();
    });
    this.socket.resume();
  }

  #take(chunk: Uint8Array): void {
    const frame = this.#frame as FrameAssembler;
    frame.push(chunk);
    if (frame.oversized) {
      this.#owner.receivedBytes(chunk.length - frame.received);
      this.#frame = undefined;
      this.drop("message-too-large");
    } else if (frame.complete) {
      this.#owner.receivedBytes(chunk.length - frame.received);
      this.#frame = undefined;
      // What follows the request is never looked at, so it stays in the kernel.
      this.socket.pause();
      this.#owner.requestArrived(this, frame.frame());
    } else this.#owner.receivedBytes(chunk.length);
  }

  /** Sends the reply and closes. The bytes are the connection's from now on. */
  send(reply: Uint8Array, deadline: number): void {
    this.state = "writing";
    this.deadline = deadline;
    this.socket.end(reply, () => this.socket.destroy());
    this.#unsent = unsentBytes(this.socket);
  }

  /** Whether the reader has taken something since the last time it was asked. */
  madeProgress(): boolean {
    const unsent = unsentBytes(this.socket);
    const progress = unsent < this.#unsent;
    this.#unsent = unsent;
    return progress;
  }

  drop(reason: DropReason): void {
    if (this.state === "closed") return;
    this.#owner.dropped(reason);
    this.close();
  }

  close(): void {
    if (this.state === "closed") return;
    this.state = "closed";
    if (this.#frame !== undefined) this.#owner.receivedBytes(-this.#frame.received);
    this.#frame = undefined;
    this.call = undefined;
    this.abort?.abort();
    this.abort = undefined;
    this.socket.destroy();
    this.#owner.closed(this);
  }
}

/** A broken connection shows as a close, which is all that matters here. */
function ignore(): void {}
