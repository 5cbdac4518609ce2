import { readSync, writeSync } from "node:fs";
import type { Socket } from "node:net";

// Node's streams cost more than the work of a small request. Where a socket's descriptor is at hand, one read(2) and one
// write(2) replace them. The descriptor is that of the libuv handle, an undocumented but long stable property; without it
// (-1) every connection takes the stream path.

interface StreamHandle {
  readonly fd: number;
  readonly writeQueueSize: number;
}

const NOTHING = new Uint8Array(1);

function handleOf(socket: Socket): StreamHandle | null {
  return (socket as unknown as { _handle: StreamHandle | null })._handle;
}

/** The socket's descriptor; -1 when it has none (closed, or a platform without descriptors). */
export function descriptorOf(socket: Socket): number {
  const fd = handleOf(socket)?.fd;
  return typeof fd === "number" && fd >= 0 ? fd : -1;
}

/** Bytes that the kernel has not taken yet. */
export function unsentBytes(socket: Socket): number {
  return handleOf(socket)?.writeQueueSize ?? 0;
}

/** What is there now, at most the buffer's size. 0: the peer has ended; -1: nothing yet; -2: the connection is broken. */
export function readAvailable(fd: number, buffer: Uint8Array): number {
  try {
    return readSync(fd, buffer, 0, buffer.length, null);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EAGAIN" ? -1 : -2;
  }
}

/** Bytes of `buffer[0, length)` that the kernel took; 0 when its buffer is full; -1 when the peer is gone. */
export function writeAvailable(fd: number, buffer: Uint8Array, length: number): number {
  try {
    return writeSync(fd, buffer, 0, length);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EAGAIN" ? 0 : -1;
  }
}

/**
 * Whether the peer has closed its socket: writing nothing then fails with EPIPE. After a mere shutdown of its sending
 * side, which clients may do once the request is sent, it succeeds.
 */
export function peerIsGone(fd: number): boolean {
  return fd !== -1 && writeAvailable(fd, NOTHING, 0) === -1;
}
