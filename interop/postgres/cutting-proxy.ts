import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** COMMIT as the driver sends it: a simple query. */
const COMMIT = Buffer.from("Q\0\0\0\x0bCOMMIT\0", "latin1");
const COMMITTED = Buffer.from("COMMIT\0", "latin1");

/** Between a client and the server's Unix socket: cuts the connection around a COMMIT when it is told to. */
export interface CuttingProxy {
  /** The database's URL through it. */
  readonly url: string;
  /** The next COMMIT: the client never hears of it, and with `before` the server neither. */
  cutNextCommit(when: "before" | "after"): void;
  close(): Promise<void>;
}

export async function cuttingProxy(url: string): Promise<CuttingProxy> {
  const directory = await mkdtemp(join(tmpdir(), "confcom-pg-proxy-"));
  const target = `${new URL(url.replace("@/", "@x/")).searchParams.get("host")}/.s.PGSQL.5432`;
  const sockets = new Set<Socket>();
  let cut: "before" | "after" | undefined;
  const proxy = createServer((client) => {
    const server = connect(target);
    let awaited = false;
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        sockets.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
    client.on("data", (bytes: Buffer) => {
      if (cut === undefined || !bytes.includes(COMMIT)) {
        server.write(bytes);
        return;
      }
      if (cut === "before") client.destroy();
      else {
        awaited = true;
        server.write(bytes);
      }
      cut = undefined;
    });
    server.on("data", (bytes: Buffer) => {
      if (awaited && bytes.includes(COMMITTED)) client.destroy();
      else client.write(bytes);
    });
  });
  await new Promise<void>((resolve) => proxy.listen(join(directory, ".s.PGSQL.5432"), resolve));
  return {
    url: url.replace(/host=[^&]*/, `host=${encodeURIComponent(directory)}`),
    cutNextCommit(when) {
      cut = when;
    },
    async close() {
      const closed = new Promise((resolve) => proxy.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
      await rm(directory, { recursive: true, force: true });
    },
  };
}
