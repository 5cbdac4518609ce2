import { lstatSync, opendirSync, unlinkSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { boundSocketNames } from "./owner.ts";
import { inspectPath, sameFile, socketIdentity } from "./path-state.ts";
import { isTemporaryName } from "./temporary-socket.ts";

/**
 * Age from which nobody can still be starting, in milliseconds: from binding to publication it takes seconds. Whoever
 * does take longer, unseen by us, is told so at its publication and starts again.
 */
const LEFTOVER_AGE = 60_000;

/** A shared directory may be full of anything: bounds of what one start looks at and removes. */
const MAX_ENTRIES = 4096;
const MAX_REMOVED = 256;

/**
 * Removes the temporary sockets beside `path` that processes left behind which were killed while they started. `mine`
 * is the one just bound. Removed is only what
 * - has the name of a temporary socket of this very path, and is a socket;
 * - is 60 s older than `mine`, by the file system's own clock. The process number in the name says nothing: it belongs to
 *   the namespace of a container that may be gone, where every service is number 1;
 * - is not bound according to /proc/net/unix (a socket that is bound and does not listen yet refuses connections, too);
 * - refuses connections, and is the same file still afterwards.
 * Whatever fails is left for another start: tidying is no reason not to serve.
 */
export async function removeLeftovers(path: string, mine: string): Promise<void> {
  try {
    const limit = lstatSync(mine).mtimeMs - LEFTOVER_AGE;
    const names = leftoverNames(path).filter((name) => name !== basename(mine));
    if (names.length === 0) return;
    const bound = new Set([...boundSocketNames()].map((name) => basename(name)));
    for (const name of names) {
      if (!bound.has(name)) await removeIfDead(join(dirname(path), name), limit);
    }
  } catch {
    // A directory that cannot be listed.
  }
}

async function removeIfDead(leftover: string, limit: number): Promise<void> {
  try {
    const status = lstatSync(leftover);
    if (!status.isSocket() || status.mtimeMs > limit) return;
    const state = await inspectPath(leftover);
    if (state.kind === "stale" && sameFile(socketIdentity(leftover), state.identity)) unlinkSync(leftover);
  } catch {
    // Somebody else's, or gone meanwhile.
  }
}

function leftoverNames(path: string): string[] {
  const names: string[] = [];
  const directory = opendirSync(dirname(path));
  try {
    for (let looked = 0; looked < MAX_ENTRIES && names.length < MAX_REMOVED; looked++) {
      const entry = directory.readSync();
      if (entry === null) break;
      if (entry.isSocket() && isTemporaryName(path, join(dirname(path), entry.name))) names.push(entry.name);
    }
  } finally {
    directory.closeSync();
  }
  return names;
}
