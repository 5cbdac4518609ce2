/** What a state directory needs to know of one directory entry, links not followed. */
export interface EntryFacts {
  readonly kind: "file" | "directory" | "link" | "other";
  /** Permission bits only. */
  readonly mode: number;
  readonly uid: number;
  readonly size: number;
  readonly modified: Date;
}

/**
 * Every file system operation the state directory uses, one per system call, synchronous: what is injected to prove
 * that a stop after any single one of them leaves a state that starts. Failures carry Node's `code` (`EEXIST`, ...).
 */
export interface StateFileSystem {
  /** Effective user id of this process. */
  userId(): number;
  /** Text that no other process uses in a temporary name: 16 hex digits. */
  uniqueSuffix(): string;
  /** undefined when nothing is there. */
  inspect(path: string): EntryFacts | undefined;
  list(path: string): readonly string[];
  makeDirectory(path: string, mode: number): void;
  changeMode(path: string, mode: number): void;
  /** Reads a regular file without following a link; undefined when nothing is there. At most `limit + 1` bytes come back. */
  readFile(path: string, limit: number): Uint8Array | undefined;
  /** Creates a file for writing; fails with EEXIST when the name is taken. Returns a descriptor. */
  createFile(path: string, mode: number): number;
  write(descriptor: number, bytes: Uint8Array): void;
  /** Makes the file's data durable. */
  syncFile(descriptor: number): void;
  close(descriptor: number): void;
  /** Atomic; replaces `to`. */
  rename(from: string, to: string): void;
  /** Atomic; fails with EEXIST when `to` is there. */
  link(from: string, to: string): void;
  remove(path: string): void;
  /** Makes the directory's entries durable. */
  syncDirectory(path: string): void;
}
