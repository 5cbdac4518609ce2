import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import { RecordingPlatform } from "../testing/recording-platform.ts";
import { inTemporaryDirectory } from "../testing/served.ts";
import { AesmServer } from "./aesm-server.ts";

const newServer = () => new AesmServer({ platform: new RecordingPlatform() });

describe("closing a server", () => {
  it("twice, together or one after the other, ends both times", () =>
    inTemporaryDirectory(async (directory) => {
      const server = newServer();
      await server.listen({ path: join(directory, "aesm.socket") });
      await Promise.all([server.close(), server.close()]);
      await server.close();
    }));

  it("that never listened ends", () => newServer().close());

  it("while it begins to listen fails that beginning", { timeout: 10_000 }, () =>
    inTemporaryDirectory(async (directory) => {
      const server = newServer();
      const listening = assert.rejects(server.listen({ path: join(directory, "aesm.socket") }), {
        code: "SOCKET_BIND",
      });
      await server.close();
      await listening;
    }),
  );
});
