import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AesmServer, type AesmServerOptions } from "../server/aesm-server.ts";
import type { ServerEvent } from "../server/events.ts";

export interface Served {
  readonly server: AesmServer;
  readonly path: string;
  readonly events: ServerEvent[];
}

/** Runs `body` against a server on a socket in a temporary directory, and leaves nothing behind. */
export async function served(options: AesmServerOptions, body: (served: Served) => Promise<void>): Promise<void> {
  await inTemporaryDirectory(async (directory) => {
    const path = join(directory, "aesm.socket");
    const events: ServerEvent[] = [];
    const server = new AesmServer({ log: (event) => events.push(event), ...options });
    await server.listen({ path });
    try {
      await body({ server, path, events });
    } finally {
      await server.close();
    }
  });
}

export async function inTemporaryDirectory(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "aesm-"));
  try {
    await body(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Waits until something is true; the test's own time limit ends a wait in vain. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}
