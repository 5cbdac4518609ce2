import { stat } from "node:fs/promises";

export interface FollowedFile {
  readonly path: string;
  /** Milliseconds between two looks. */
  readonly everyMs: number;
  /** Called for the file as it is found first, and whenever it is another one; again until it succeeds. */
  readonly changed: () => Promise<void>;
}

/** With a look every second: a minute after failures. */
const MOST_DOUBLINGS = 6;

/**
 * Looks at a file's identity, size and time by and by: that works on every file system and mount, which notifications do
 * not. Returns what ends it, and waits for what is under way.
 */
export function followFile({ path, everyMs, changed }: FollowedFile): () => Promise<void> {
  let seen = "";
  let failures = 0;
  let ended = false;
  let timer: NodeJS.Timeout | undefined;
  let turn: Promise<void> = Promise.resolve();
  const look = async () => {
    try {
      const { ino, size, mtimeMs } = await stat(path);
      const now = `${ino}/${size}/${mtimeMs}`;
      if (now === seen) return;
      await changed();
      seen = now;
      failures = 0;
    } catch {
      // Not there, or not done: a later look tries again.
      failures += 1;
    }
  };
  const next = () => {
    if (ended) return;
    timer = setTimeout(
      () => {
        turn = look().then(next);
      },
      everyMs * 2 ** Math.min(failures, MOST_DOUBLINGS),
    );
    timer.unref();
  };
  next();
  return async () => {
    ended = true;
    clearTimeout(timer);
    await turn;
  };
}
