import { type FSWatcher, statSync, watch } from "node:fs";
import { stat } from "node:fs/promises";
import type { Clock } from "../clock.ts";

/** Events of one restart come in a burst: what they say is looked at once, this long after the first. */
const DEBOUNCE_MS = 100;
/** Looked at even without an event: inotify can be exhausted, or the directory be made anew. */
const POLL_MS = 5_000;

/** Tells when something in the kubelet's device-plugin directory may have changed: at once where the file system tells, every 5 s anyway. */
export class KubeletDirectory {
  readonly #directory: string;
  readonly #clock: Clock;
  readonly #concerns: (fileName: string) => boolean;
  readonly #changed: () => void;
  #watcher: FSWatcher | undefined;
  #watched: string | undefined;
  #debounce: unknown;
  #poll: unknown;
  #closed = false;

  constructor(options: {
    directory: string;
    clock: Clock;
    /** Whether a file of this name is worth a look; the kubelet rewrites its checkpoint here at every allocation. */
    concerns: (fileName: string) => boolean;
    changed: () => void;
  }) {
    this.#directory = options.directory;
    this.#clock = options.clock;
    this.#concerns = options.concerns;
    this.#changed = options.changed;
    this.#watch();
    this.#schedulePoll();
  }

  close(): void {
    this.#closed = true;
    this.#watcher?.close();
    this.#watcher = undefined;
    if (this.#debounce !== undefined) this.#clock.clearTimeout(this.#debounce);
    if (this.#poll !== undefined) this.#clock.clearTimeout(this.#poll);
  }

  #schedulePoll(): void {
    this.#poll = this.#clock.setTimeout(() => {
      this.#watch();
      this.#changed();
      if (!this.#closed) this.#schedulePoll();
    }, POLL_MS);
  }

  /** Watches the directory that has the path now: a watch stays with a directory that was renamed or removed. */
  #watch(): void {
    const found = directoryIdentity(this.#directory);
    if (found === this.#watched) return;
    this.#watcher?.close();
    this.#watcher = undefined;
    this.#watched = undefined;
    if (found === undefined) return;
    try {
      const watcher = watch(this.#directory, (_event, name) => {
        if (name === null || this.#concerns(name)) this.#soon();
      });
      watcher.on("error", () => {
        if (this.#watcher !== watcher) return;
        watcher.close();
        this.#watcher = undefined;
        this.#watched = undefined;
      });
      this.#watcher = watcher;
      this.#watched = found;
    } catch {
      // Not watchable (inotify is exhausted): the poll does it alone, and tries this again.
    }
  }

  #soon(): void {
    if (this.#closed || this.#debounce !== undefined) return;
    this.#debounce = this.#clock.setTimeout(() => {
      this.#debounce = undefined;
      this.#changed();
    }, DEBOUNCE_MS);
  }
}

function directoryIdentity(path: string): string | undefined {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? undefined : `${found.dev}:${found.ino}`;
}

/** Tells one kubelet socket from the next: the file system may give both the same inode, so the time of the last change is part of it. */
export async function kubeletSocketIdentity(path: string): Promise<string | undefined> {
  try {
    const { dev, ino, ctimeNs } = await stat(path, { bigint: true });
    return `${dev}:${ino}:${ctimeNs}`;
  } catch {
    return undefined;
  }
}
