import { AesmError, type AesmErrorDetails } from "./errors.ts";

/** Bytes of the longest socket path: sun_path holds 108 with its closing zero. */
export const MAX_SOCKET_PATH = 107;

/**
 * Refuses what cannot be a socket's path: nothing, a NUL byte (which ends a path, or starts an abstract name), more than
 * 107 bytes (which a kernel or library would cut off in silence). Relative paths are fine. Throws `SOCKET_PATH`.
 */
export function requireSocketPath(path: string, details: AesmErrorDetails = {}): void {
  const size = Buffer.byteLength(path);
  if (path === "") throw new AesmError("SOCKET_PATH", "the socket path is empty", details);
  if (path.includes("\0")) {
    throw new AesmError("SOCKET_PATH", `the socket path ${JSON.stringify(path)} has a NUL byte in it`, details);
  }
  if (size > MAX_SOCKET_PATH) {
    throw new AesmError(
      "SOCKET_PATH",
      `the socket path ${path} is ${size} bytes, not 1 to ${MAX_SOCKET_PATH}`,
      details,
    );
  }
}
