import { access, lstat, rename, unlink } from "node:fs/promises";
import { join } from "node:path";
import { type Server, ServerCredentials } from "@grpc/grpc-js";
import { KubernetesError, messageOf } from "../errors.ts";

/**
 * The socket of one resource in the kubelet's directory. It is bound under a name of its own and renamed over the endpoint, so that an
 * endpoint that exists always answers, and a plugin that serves the same endpoint can be relieved without a moment when there is none.
 *
 * A bound socket keeps its inode: no other file of the file system can have the same device and inode number while it is open. That makes
 * the comparison of both exact here, which it would not be for a socket that belongs to somebody else.
 */
export class EndpointSocket {
  readonly path: string;
  readonly #identity: string;

  private constructor(path: string, identity: string) {
    this.path = path;
    this.#identity = identity;
  }

  /** Makes `server` serve `directory/endpoint`. Throws ENDPOINT_UNUSABLE; then nothing is left behind. */
  static async bind(
    server: Server,
    directory: string,
    endpoint: string,
    random: () => number,
  ): Promise<EndpointSocket> {
    const suffix = Math.floor(random() * 2 ** 32).toString(36);
    const temporary = join(directory, `.${endpoint}.${suffix}`);
    const path = join(directory, endpoint);
    try {
      await access(directory);
      await listen(server, temporary);
      try {
        const identity = await identityOf(temporary);
        if (identity === undefined) throw new Error("it was removed while it was made");
        await rename(temporary, path);
        return new EndpointSocket(path, identity);
      } catch (error) {
        await unlink(temporary).catch(() => undefined);
        throw error;
      }
    } catch (error) {
      throw new KubernetesError("ENDPOINT_UNUSABLE", `the socket ${path} could not be made: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  /** Whether the endpoint is this socket, nothing, or somebody else's file. */
  async owner(): Promise<"ours" | "nobody" | "another"> {
    const identity = await identityOf(this.path);
    if (identity === undefined) return "nobody";
    return identity === this.#identity ? "ours" : "another";
  }

  /** Takes the endpoint out of the directory if it is this socket. */
  async remove(): Promise<void> {
    if ((await this.owner()) !== "ours") return;
    await unlink(this.path).catch(() => undefined);
  }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.bindAsync(`unix:${path}`, ServerCredentials.createInsecure(), (error) =>
      error ? reject(error) : resolve(),
    );
  });
}

async function identityOf(path: string): Promise<string | undefined> {
  try {
    const { dev, ino } = await lstat(path, { bigint: true });
    return `${dev}:${ino}`;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
