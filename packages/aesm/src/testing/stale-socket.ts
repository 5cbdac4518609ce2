import assert from "node:assert/strict";
import { existsSync, renameSync } from "node:fs";
import { createServer } from "node:net";

/** A socket file nobody listens on, as a killed process leaves it. */
export async function leaveStaleSocket(path: string): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(`${path}.m`, resolve));
  renameSync(`${path}.m`, path);
  await new Promise<void>((resolve) => server.close(() => resolve()));
  assert.ok(existsSync(path));
}
