import { basename, dirname } from "node:path";
import type { EntryFacts, StateFileSystem } from "../state/state-file-system.ts";

interface FileNode {
  readonly kind: "file";
  mode: number;
  data: Uint8Array;
  /** The content that survives losing power. */
  durable: Uint8Array;
}

interface DirectoryNode {
  readonly kind: "directory";
  mode: number;
  /** The durable entries, then the entries after each change since. The last element is what processes see. */
  history: ReadonlyMap<string, Node>[];
}

type Node = FileNode | DirectoryNode;

/** The machine stopped: thrown by the operation that did not happen, and by every one after it. */
export class Stopped extends Error {
  constructor() {
    super("the machine stopped here");
    this.name = "Stopped";
  }
}

/** What is left of changes that were not synced, decided for each directory and file. */
export interface Survival {
  readonly name: string;
  /** How many of a directory's `count` unsynced changes, in their order, survive. */
  readonly changes: (count: number) => number;
  readonly unsyncedData: "kept" | "cut" | "lost";
}

/** A killed process loses nothing; lost power loses what was not synced, in every mixture a file system may leave. */
export const SURVIVALS: readonly Survival[] = [
  { name: "process killed: everything written survives", changes: (count) => count, unsyncedData: "kept" },
  { name: "power lost: only what was synced survives", changes: () => 0, unsyncedData: "lost" },
  { name: "power lost: names survive, unsynced data does not", changes: (count) => count, unsyncedData: "lost" },
  { name: "power lost: names survive, unsynced data is cut short", changes: (count) => count, unsyncedData: "cut" },
  { name: "power lost: half of the name changes survive", changes: (count) => count >> 1, unsyncedData: "kept" },
];

/** No two processes get the same suffix, whichever disk they run on. */
let suffixes = 0;

function systemError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}

/**
 * A file system in memory that stops the machine after a number of operations, for tests that restart on what is left.
 * Each call of an operation counts, reading ones too. A write that is cut off leaves half of its bytes.
 */
export class CrashingFileSystem implements StateFileSystem {
  readonly #root: DirectoryNode;
  readonly #descriptors = new Map<number, FileNode>();
  #remaining: number;
  #done = 0;
  /** Runs before each operation: where a test lets another process act. */
  before: ((operation: number) => void) | undefined;

  /** `operations`: how many happen before the machine stops. */
  constructor(operations = Number.POSITIVE_INFINITY, root?: DirectoryNode) {
    this.#remaining = operations;
    this.#root = root ?? { kind: "directory", mode: 0o755, history: [new Map()] };
  }

  /** Operations that have happened. */
  get operations(): number {
    return this.#done;
  }

  /** The same disk for another process: it does not stop when this one does. */
  share(): CrashingFileSystem {
    return new CrashingFileSystem(Number.POSITIVE_INFINITY, this.#root);
  }

  /** The disk as the next start finds it. */
  restart(survival: Survival, operations?: number): CrashingFileSystem {
    return new CrashingFileSystem(operations, surviving(this.#root, survival, new Map()) as DirectoryNode);
  }

  userId(): number {
    return 1000;
  }

  uniqueSuffix(): string {
    return (suffixes++).toString(16).padStart(16, "0");
  }

  inspect(path: string): EntryFacts | undefined {
    this.#operation();
    const node = this.#find(path);
    if (node === undefined) return undefined;
    const size = node.kind === "file" ? node.data.length : 0;
    // Always of this moment, whatever clock a test has: nothing here is old enough to be tidied away.
    return { kind: node.kind, mode: node.mode, uid: 1000, size, modified: new Date(8.64e15) };
  }

  list(path: string): readonly string[] {
    this.#operation();
    return [...entriesOf(this.#directory(path)).keys()];
  }

  makeDirectory(path: string, mode: number): void {
    this.#operation();
    if (this.#find(path) !== undefined) throw systemError("EEXIST", path);
    this.#change(path, (entries, name) => entries.set(name, { kind: "directory", mode, history: [new Map()] }));
  }

  changeMode(path: string, mode: number): void {
    this.#operation();
    const node = this.#find(path);
    if (node === undefined) throw systemError("ENOENT", path);
    node.mode = mode;
  }

  readFile(path: string, limit: number): Uint8Array | undefined {
    this.#operation();
    const node = this.#find(path);
    if (node === undefined) return undefined;
    if (node.kind !== "file") throw systemError("EISDIR", path);
    return node.data.slice(0, limit + 1);
  }

  createFile(path: string, mode: number): number {
    this.#operation();
    if (this.#find(path) !== undefined) throw systemError("EEXIST", path);
    const file: FileNode = { kind: "file", mode, data: new Uint8Array(), durable: new Uint8Array() };
    this.#change(path, (entries, name) => entries.set(name, file));
    const descriptor = 3 + this.#done;
    this.#descriptors.set(descriptor, file);
    return descriptor;
  }

  write(descriptor: number, bytes: Uint8Array): void {
    const file = this.#open(descriptor);
    const append = (part: Uint8Array) => {
      const data = new Uint8Array(file.data.length + part.length);
      data.set(file.data);
      data.set(part, file.data.length);
      file.data = data;
    };
    if (this.#remaining === 0) append(bytes.subarray(0, bytes.length >> 1));
    this.#operation();
    append(bytes);
  }

  syncFile(descriptor: number): void {
    this.#operation();
    const file = this.#open(descriptor);
    file.durable = file.data;
  }

  close(descriptor: number): void {
    this.#operation();
    this.#open(descriptor);
    this.#descriptors.delete(descriptor);
  }

  rename(from: string, to: string): void {
    this.#operation();
    if (dirname(from) !== dirname(to)) throw systemError("EXDEV", to);
    this.#change(from, (entries, name) => {
      const node = entries.get(name);
      if (node === undefined) throw systemError("ENOENT", from);
      entries.delete(name);
      entries.set(basename(to), node);
    });
  }

  link(from: string, to: string): void {
    this.#operation();
    const node = this.#find(from);
    if (node === undefined) throw systemError("ENOENT", from);
    if (this.#find(to) !== undefined) throw systemError("EEXIST", to);
    this.#change(to, (entries, name) => entries.set(name, node));
  }

  remove(path: string): void {
    this.#operation();
    this.#change(path, (entries, name) => {
      if (!entries.delete(name)) throw systemError("ENOENT", path);
    });
  }

  syncDirectory(path: string): void {
    this.#operation();
    const directory = this.#directory(path);
    directory.history = [entriesOf(directory)];
  }

  /** Flips one bit of a file, as a failing disk would. */
  damage(path: string, bit: number): void {
    const node = this.#find(path);
    if (node?.kind !== "file") throw systemError("ENOENT", path);
    node.data = node.data.slice();
    node.data[bit >> 3] = (node.data[bit >> 3] as number) ^ (1 << (bit & 7));
    node.durable = node.data;
  }

  #operation(): void {
    if (this.#remaining === 0) throw new Stopped();
    this.before?.(this.#done);
    this.#remaining--;
    this.#done++;
  }

  #open(descriptor: number): FileNode {
    const file = this.#descriptors.get(descriptor);
    if (file === undefined) throw systemError("EBADF", String(descriptor));
    return file;
  }

  #find(path: string): Node | undefined {
    let node: Node | undefined = this.#root;
    for (const name of path.split("/").filter((part) => part !== "")) {
      if (node?.kind !== "directory") return undefined;
      node = entriesOf(node).get(name);
    }
    return node;
  }

  #directory(path: string): DirectoryNode {
    const node = this.#find(path);
    if (node === undefined) throw systemError("ENOENT", path);
    if (node.kind !== "directory") throw systemError("ENOTDIR", path);
    return node;
  }

  #change(path: string, edit: (entries: Map<string, Node>, name: string) => void): void {
    const directory = this.#directory(dirname(path));
    const entries = new Map(entriesOf(directory));
    edit(entries, basename(path));
    directory.history = [...directory.history, entries];
  }
}

function entriesOf(directory: DirectoryNode): ReadonlyMap<string, Node> {
  return directory.history.at(-1) as ReadonlyMap<string, Node>;
}

function surviving(node: Node, survival: Survival, done: Map<Node, Node>): Node {
  const known = done.get(node);
  if (known !== undefined) return known;
  if (node.kind === "file") {
    const unsynced = node.data !== node.durable;
    const left = { kept: node.data, cut: node.data.slice(0, node.data.length >> 1), lost: node.durable };
    const data = unsynced ? left[survival.unsyncedData] : node.data;
    const file: FileNode = { kind: "file", mode: node.mode, data, durable: data };
    done.set(node, file);
    return file;
  }
  const changes = node.history.length - 1;
  const entries = node.history[survival.changes(changes)] as ReadonlyMap<string, Node>;
  const left = new Map([...entries].map(([name, child]) => [name, surviving(child, survival, done)]));
  return { kind: "directory", mode: node.mode, history: [left] };
}
