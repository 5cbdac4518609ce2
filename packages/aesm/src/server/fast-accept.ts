import type { Server, Socket } from "node:net";

/** An accepted connection before Node makes a Socket of it. */
export interface AcceptedHandle {
  readonly fd: number;
  close(): void;
}

interface ListeningHandle {
  onconnection: ((this: unknown, status: number, handle?: AcceptedHandle) => void) | undefined;
}

/**
 * Sees every accepted connection before Node's own accept does. Making a Socket and its two streams is most of what a
 * request costs outside the kernel, and a request that is already there needs none. Uses the listening handle's
 * `onconnection`, an undocumented property as old as Node: where it is missing, {@link install} says so and the server
 * goes on with the documented path.
 */
export class FastAccept {
  #listening: unknown;
  #ordinary: ListeningHandle["onconnection"];
  #awaited = false;
  #captured: Socket | undefined;

  /** `take` returns true when it has answered and closed the connection, false to leave it to the ordinary path. */
  install(server: Server, take: (handle: AcceptedHandle) => boolean): boolean {
    const listening = (server as unknown as { _handle: ListeningHandle | null })._handle;
    const ordinary = listening?.onconnection;
    if (!listening || typeof ordinary !== "function") return false;
    this.#listening = listening;
    this.#ordinary = ordinary;
    listening.onconnection = function onconnection(status, handle) {
      if (status !== 0 || handle === undefined || !(handle.fd >= 0) || !take(handle))
        ordinary.call(this, status, handle);
    };
    return true;
  }

  /** A Socket for a connection that needs one after all. The server's connection listener must ask {@link captures}. */
  socketFor(handle: AcceptedHandle): Socket | undefined {
    this.#awaited = true;
    this.#ordinary?.call(this.#listening, 0, handle);
    this.#awaited = false;
    const socket = this.#captured;
    this.#captured = undefined;
    return socket;
  }

  /** Whether this socket is the one that {@link socketFor} waits for. */
  captures(socket: Socket): boolean {
    if (this.#awaited) this.#captured = socket;
    return this.#awaited;
  }
}
