import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** A process that listens on a socket path, as far as /proc shows it. */
export interface SocketOwner {
  readonly pid: number;
  /** Its command line, blanks between the arguments. */
  readonly command: string;
}

/** Listening sockets carry this flag in /proc/net/unix. */
const LISTENING = 0x10000;

/**
 * The processes that listen on sockets bound under one of `names`: inode by /proc/net/unix, process by its descriptors.
 * Empty where /proc hides it (another user's process, another PID or network namespace).
 */
export function findSocketOwners(isName: (boundPath: string) => boolean, proc = "/proc"): SocketOwner[] {
  const inodes = listeningInodes(isName, proc);
  if (inodes.size === 0) return [];
  const owners: SocketOwner[] = [];
  for (const entry of list(proc)) {
    if (!/^\d+$/.test(entry)) continue;
    const holds = list(`${proc}/${entry}/fd`).some((fd) => inodes.has(link(`${proc}/${entry}/fd/${fd}`)));
    if (holds) owners.push({ pid: Number(entry), command: commandOf(`${proc}/${entry}`) });
  }
  return owners;
}

/** The names that sockets of this network namespace are bound under, listening or not; the file may be elsewhere now. */
export function boundSocketNames(proc = "/proc"): Set<string> {
  return new Set(boundSockets(proc).map((socket) => socket.name));
}

/** `socket:[inode]`, as descriptors name it, of every listening socket bound under such a name. */
function listeningInodes(isName: (boundPath: string) => boolean, proc: string): Set<string> {
  const listening = boundSockets(proc).filter((socket) => socket.listens && isName(socket.name));
  return new Set(listening.map((socket) => `socket:[${socket.inode}]`));
}

function boundSockets(proc: string): { readonly name: string; readonly inode: string; readonly listens: boolean }[] {
  const sockets = [];
  for (const line of read(`${proc}/net/unix`).split("\n").slice(1)) {
    // Num RefCount Protocol Flags Type St Inode Path
    const match = /^\S+ \S+ \S+ ([0-9A-F]+) \S+ \S+ +(\d+) (.+)$/.exec(line);
    if (match === null) continue;
    const [, flags = "0", inode = "0", name = ""] = match;
    sockets.push({ name, inode, listens: (Number.parseInt(flags, 16) & LISTENING) !== 0 });
  }
  return sockets;
}

function commandOf(directory: string): string {
  const command = read(`${directory}/cmdline`).split("\0").join(" ").trim();
  return command === "" ? read(`${directory}/comm`).trim() : command.slice(0, 200);
}

// Processes come and go while they are looked at, and others' are hidden: what cannot be read does not count.

function list(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

function link(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    return "";
  }
}
