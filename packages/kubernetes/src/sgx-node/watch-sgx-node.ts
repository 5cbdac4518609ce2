import type { Clock } from "../clock.ts";
import type { SgxNode } from "./sgx-node.ts";

export interface SgxNodeWatchOptions {
  /** Looks at the node now, e.g. by {@link probeSgxNode}. */
  readonly probe: () => SgxNode;
  /** Called with the new state whenever it differs from the last. */
  readonly changed: (node: SgxNode, before: SgxNode) => void;
  readonly clock: Pick<Clock, "setTimeout" | "clearTimeout">;
  /** Between two looks; 5000 by default. */
  readonly intervalMs?: number;
  /** How directories of the host are watched, where they can be; looking happens without it too. */
  readonly watchDirectory?: (path: string, changed: (name: string | undefined) => void) => (() => void) | undefined;
}

export interface SgxNodeWatch {
  current(): SgxNode;
  /** Looks now. */
  rescan(): SgxNode;
  close(): void;
}

/** After an event of a directory: udev makes a node, then changes its rights, then links it. */
const SETTLE_MS = 200;
const DEFAULT_INTERVAL_MS = 5_000;
const WATCHED = ["/dev", "/dev/sgx"] as const;

/**
 * Follows what the node offers: devices that appear, vanish or are made again (another inode or device number), EPC that
 * changes. Events of /dev make it quick, polling makes it certain: sysfs sends no events, and a watch may be lost.
 */
export function watchSgxNode(options: SgxNodeWatchOptions): SgxNodeWatch {
  const { probe, changed, clock, watchDirectory, intervalMs = DEFAULT_INTERVAL_MS } = options;
  const watches = new Map<string, () => void>();
  let node = probe();
  let print = fingerprint(node);
  let closed = false;
  let poll: unknown;
  let settle: unknown;

  const rescan = (): SgxNode => {
    if (closed) return node;
    const found = probe();
    const foundPrint = fingerprint(found);
    if (foundPrint === print) return node;
    const before = node;
    node = found;
    print = foundPrint;
    rewatch();
    changed(node, before);
    return node;
  };
  const soon = (name: string | undefined): void => {
    if (closed || settle !== undefined || (name !== undefined && !SGX_NAME.test(name))) return;
    settle = clock.setTimeout(() => {
      settle = undefined;
      rescan();
    }, SETTLE_MS);
  };
  const rewatch = (): void => {
    for (const path of WATCHED) {
      // A directory that was made again has another inode than the one that is watched.
      watches.get(path)?.();
      watches.delete(path);
      const stop = watchDirectory?.(path, path === "/dev" ? soon : () => soon(undefined));
      if (stop !== undefined) watches.set(path, stop);
    }
  };
  const again = (): void => {
    poll = clock.setTimeout(() => {
      rescan();
      if (!closed) again();
    }, intervalMs);
  };
  rewatch();
  again();
  return {
    current: () => node,
    rescan,
    close() {
      closed = true;
      clock.clearTimeout(poll);
      if (settle !== undefined) clock.clearTimeout(settle);
      for (const stop of watches.values()) stop();
      watches.clear();
    },
  };
}

/** What /dev entries may matter; it is a busy directory. */
const SGX_NAME = /^i?sgx/;

/** Everything that makes two states differ; all of it is plain data in a fixed order. */
function fingerprint(node: SgxNode): string {
  return JSON.stringify(node);
}
