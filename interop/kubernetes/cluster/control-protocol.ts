import type { Socket } from "node:net";
import { createInterface } from "node:readline";
import type { NodeOptions } from "./cluster.ts";

// What a client says to the supervisor over `control.sock`: one JSON object per line, in both directions.

export type ControlRequest =
  /** Answered when the cluster is up; fails with what went wrong. */
  | { readonly method: "ready" }
  | { readonly method: "start" | "stop" | "restart" | "kill9"; readonly service: string }
  | { readonly method: "addNode"; readonly node: NodeOptions }
  /** Answered when nothing is left. */
  | { readonly method: "down" };

export type ControlAnswer =
  | { readonly id: number; readonly ok: true }
  | { readonly id: number; readonly ok: false; readonly code: string; readonly message: string }
  /** Progress, for everybody who listens. */
  | { readonly line: string };

/** Calls `received` with every line's object; lines that are no JSON are dropped with their connection. */
export function receiveLines<T>(socket: Socket, received: (message: T) => void): void {
  const lines = createInterface({ input: socket, crlfDelay: Number.POSITIVE_INFINITY });
  lines.on("line", (line) => {
    let message: T;
    try {
      message = JSON.parse(line) as T;
    } catch {
      socket.destroy();
      return;
    }
    received(message);
  });
  // readline repeats the stream's errors; a connection that breaks ends like one that is closed.
  lines.on("error", () => {});
  socket.on("error", () => {});
}

export function sendLine(socket: Socket, message: object): void {
  if (socket.writable) socket.write(`${JSON.stringify(message)}\n`);
}
