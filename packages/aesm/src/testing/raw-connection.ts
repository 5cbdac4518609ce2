import { connect, type Socket } from "node:net";

/** A connection that sends what a test wants and collects what comes back, however wrong either may be. */
export class RawConnection {
  readonly socket: Socket;
  readonly #chunks: Buffer[] = [];
  readonly #done: Promise<void>;
  error: NodeJS.ErrnoException | undefined;

  constructor(path: string) {
    this.socket = connect({ path, allowHalfOpen: true });
    this.socket.on("data", (chunk: Buffer) => this.#chunks.push(chunk));
    this.socket.on("error", (error: NodeJS.ErrnoException) => {
      this.error = error;
    });
    this.socket.on("end", () => this.socket.end());
    this.#done = new Promise((resolve) => this.socket.on("close", () => resolve()));
  }

  opened(): Promise<this> {
    if (!this.socket.connecting) return Promise.resolve(this);
    return new Promise((resolve, reject) => {
      this.socket.once("connect", () => resolve(this));
      this.socket.once("error", reject);
    });
  }

  send(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve) => this.socket.write(bytes, () => resolve()));
  }

  /** Everything the peer sent until it closed. */
  async received(): Promise<Uint8Array> {
    await this.#done;
    return Uint8Array.from(Buffer.concat(this.#chunks));
  }

  close(): void {
    this.socket.destroy();
  }
}

/** Sends bytes on a fresh connection and returns everything that came back before the close. */
export async function sendRaw(path: string, bytes: Uint8Array): Promise<Uint8Array> {
  const connection = new RawConnection(path);
  await connection.opened();
  await connection.send(bytes);
  return connection.received();
}
