import { type FSWatcher, watch } from "node:fs";
import { basename, dirname } from "node:path";
import { type FileIdentity, sameFile, socketIdentity } from "./path-state.ts";

/**
 * Clients no longer reach us. "replaced": another socket lies at the path, a successor's. "removed": nothing does, or
 * something that is no socket, so that they reach nobody.
 */
export type LossReason = "replaced" | "removed";

/** For what fs.watch does not report: network file systems, exhausted inotify watches, a replaced directory. */
const POLL_INTERVAL = 1_000;

/** Calls `lost` once when the path stops leading to `identity`. Returns what ends the watch. */
export function watchPath(path: string, identity: FileIdentity, lost: (reason: LossReason) => void): () => void {
  let watcher: FSWatcher | undefined;
  const check = (): void => {
    const reason = lossOf(path, identity);
    if (reason === undefined) return;
    stop();
    lost(reason);
  };
  const timer = setInterval(check, POLL_INTERVAL);
  timer.unref();
  const stop = (): void => {
    clearInterval(timer);
    watcher?.close();
  };
  try {
    watcher = watch(dirname(path), { persistent: false }, (_event, name) => {
      if (name === null || name === basename(path)) check();
    });
    watcher.on("error", () => watcher?.close());
  } catch {
    // Polling alone is slower, not wrong.
  }
  return stop;
}

function lossOf(path: string, identity: FileIdentity): LossReason | undefined {
  try {
    const present = socketIdentity(path);
    if (present === undefined) return "removed";
    return sameFile(present, identity) ? undefined : "replaced";
  } catch {
    return "removed";
  }
}
