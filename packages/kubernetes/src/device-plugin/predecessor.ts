import { createConnection } from "node:net";
import type { Clock } from "../clock.ts";

/** A plugin of ours that is relieved leaves when it sees that its socket is another's: in milliseconds, on a busy node in tenths of a second. */
const LEAVES_IN_MS = 1_000;

/** Whoever serves an endpoint before this plugin takes it. */
export interface Predecessor {
  /** Resolves when it has left, or after 1 s. */
  left(): Promise<void>;
}

/**
 * Holds a connection to the plugin that serves `path` now; its end is that plugin's. A kubelet to which the successor registers earlier
 * takes the end of the old stream for the end of the new one, and the resource for dead.
 */
export function meetPredecessor(path: string, clock: Clock): Promise<Predecessor | undefined> {
  return new Promise((resolve) => {
    const socket = createConnection({ path });
    const gone = new Promise<void>((left) => socket.once("close", () => left()));
    socket.on("error", () => resolve(undefined));
    socket.resume();
    socket.once("connect", () =>
      resolve({
        async left() {
          const timer = clock.setTimeout(() => socket.destroy(), LEAVES_IN_MS);
          await gone;
          clock.clearTimeout(timer);
        },
      }),
    );
  });
}
