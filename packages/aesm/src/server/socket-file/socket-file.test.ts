import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, lstatSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join, relative } from "node:path";
import { describe, it } from "node:test";
import { AesmClient } from "../../client/aesm-client.ts";
import { RawConnection } from "../../testing/raw-connection.ts";
import { RecordingPlatform } from "../../testing/recording-platform.ts";
import { inTemporaryDirectory, until } from "../../testing/served.ts";
import { leaveStaleSocket } from "../../testing/stale-socket.ts";
import { AesmServer } from "../aesm-server.ts";
import { serve } from "../serve.ts";
import { openSocketFile, socketOwners } from "./socket-file.ts";

const start = (socketPath: string, more: object = {}) =>
  serve({ platform: new RecordingPlatform({ initialized: true }), socketPath, ...more });
const count = (socketPath: string) => new AesmClient({ socketPath, connectAttempts: 1 }).supportedKeyIdCount();

/** Another process that binds the path directly, as Intel's does; ends with its standard input. */
async function otherProcess(path: string, body: (pid: number) => Promise<void>): Promise<void> {
  const program = `
    require("node:net").createServer().listen(process.argv[1], () => console.log("listening"));
    process.stdin.on("end", () => process.exit()).resume();`;
  const child = spawn(process.execPath, ["-e", program, path], { stdio: ["pipe", "pipe", "inherit"] });
  try {
    await once(child.stdout, "data");
    await body(child.pid as number);
  } finally {
    child.stdin.end();
    await once(child, "exit");
  }
}

describe("the socket path", () => {
  it("its missing directory is created, the socket is open to all, and nothing is left at the end", () =>
    inTemporaryDirectory(async (directory) => {
      const path = join(directory, "var", "run", "aesm.socket");
      const running = await start(path);
      assert.equal(lstatSync(path).mode & 0o777, 0o666);
      assert.deepEqual(readdirSync(join(directory, "var", "run")), ["aesm.socket"]);
      assert.equal(await count(path), 1);
      await running.close();
      assert.deepEqual(readdirSync(join(directory, "var", "run")), []);
    }));

  it("a stale socket is replaced", () =>
    inTemporaryDirectory(async (directory) => {
      const path = join(directory, "aesm.socket");
      await leaveStaleSocket(path);
      const running = await start(path);
      assert.equal(await count(path), 1);
      await running.close();
    }));

  it("anything but a socket is refused and left alone", () =>
    inTemporaryDirectory(async (directory) => {
      for (const make of [
        (path: string) => writeFileSync(path, "precious"),
        (path: string) => mkdirSync(path),
        (path: string) => symlinkSync("/nowhere", path),
      ]) {
        const path = join(directory, "aesm.socket");
        make(path);
        await assert.rejects(start(path, { takeover: true }), { code: "SOCKET_NOT_A_SOCKET" });
        lstatSync(path);
        assert.deepEqual(readdirSync(directory), ["aesm.socket"]);
        rmSync(path, { recursive: true });
      }
    }));

  it("a live owner is an error that names it", { skip: process.platform !== "linux" }, () =>
    inTemporaryDirectory(async (directory) => {
      const path = join(directory, "aesm.socket");
      const running = await start(path);
      await assert.rejects(start(path), (error: Error & { code?: string }) => {
        assert.equal(error.code, "SOCKET_OWNED");
        assert.match(error.message, new RegExp(`process ${process.pid} \\(`));
        return true;
      });
      assert.deepEqual(
        socketOwners(path).map((owner) => owner.pid),
        [process.pid],
      );
      assert.equal(await count(path), 1);
      await running.close();
    }),
  );

  it("one that binds the path directly, as Intel's does, is named too", { skip: process.platform !== "linux" }, () =>
    inTemporaryDirectory(async (directory) => {
      const path = join(directory, "aesm.socket");
      const other = createServer();
      await new Promise<void>((resolve) => other.listen(path, resolve));
      await assert.rejects(start(path), { code: "SOCKET_OWNED", message: new RegExp(`process ${process.pid} `) });
      await new Promise<void>((resolve) => other.close(() => resolve()));
    }),
  );

  it("an owner that came while we started is found before the path is touched", () =>
    inTemporaryDirectory(async (directory) => {
      const path = join(directory, "aesm.socket");
      const late = await openSocketFile({ path });
      const running = await start(path);
      await assert.rejects(late.publish(), { code: "SOCKET_OWNED" });
      assert.equal(await count(path), 1);
      await running.close();
      assert.deepEqual(readdirSync(directory), []);
    }));

  it("of two that start together the loser names the winner, not itself", { skip: process.platform !== "linux" }, () =>
    inTemporaryDirectory(async (directory) => {
      const path = join(directory, "aesm.socket");
      const loser = await openSocketFile({ path });
      const server = new AesmServer({ platform: new RecordingPlatform() });
      await server.listen({ fd: loser.fd });
      assert.deepEqual(socketOwners(path), []);
      await otherProcess(path, (winner) =>
        assert.rejects(loser.publish(), (error: Error & { code?: string }) => {
          assert.equal(error.code, "SOCKET_OWNED");
          assert.match(error.message, new RegExp(`answered by process ${winner} \\(`));
          assert.doesNotMatch(error.message, new RegExp(`process ${process.pid} \\(`));
          return true;
        }),
      );
      await server.close();
    }),
  );

  it("a relative path counts from the working directory", () =>
    inTemporaryDirectory(async (directory) => {
      const path = relative(process.cwd(), join(directory, "aesm.socket"));
      const running = await start(path);
      assert.ok(existsSync(join(directory, "aesm.socket")));
      assert.equal(await count(path), 1);
      await running.close();
      assert.deepEqual(readdirSync(directory), []);
    }));

  it("a directory that refuses is named, with the way out", { skip: process.platform !== "linux" }, async () => {
    // Nobody, whatever his rights, makes a socket there.
    await assert.rejects(start("/proc/aesm.socket"), {
      name: "AesmError",
      code: "SOCKET_DIRECTORY",
      message: /^\/proc\/.*\(E[A-Z]+\); is \/proc writable/,
    });
  });

  it("a socket that was removed or exchanged while it started is not published", () =>
    inTemporaryDirectory(async (directory) => {
      const path = join(directory, "aesm.socket");
      for (const exchange of [() => undefined, mkdirSync, (name: string) => leaveStaleSocket(name)]) {
        const file = await openSocketFile({ path });
        const [name = ""] = readdirSync(directory);
        rmSync(join(directory, name));
        await exchange(join(directory, name));
        await assert.rejects(file.publish(), { code: "SOCKET_BIND", message: /start again/ });
        assert.equal(existsSync(path), false);
        rmSync(join(directory, name), { recursive: true, force: true });
      }
    }));

  it("a directory that vanished while it started is named, with the way out", () =>
    inTemporaryDirectory(async (directory) => {
      const path = join(directory, "run", "aesm.socket");
      const file = await openSocketFile({ path });
      rmSync(join(directory, "run"), { recursive: true });
      await assert.rejects(file.publish(), { code: "SOCKET_BIND", message: new RegExp(join(directory, "run")) });
    }));

  it("a path that is too long or none, and a directory that cannot be, are refused by name", () =>
    inTemporaryDirectory(async (directory) => {
      await assert.rejects(start(join(directory, "x".repeat(108))), { code: "SOCKET_PATH" });
      // The path itself would fit; the temporary name beside it does not.
      await assert.rejects(start(join(directory, "d".repeat(104 - directory.length), "s")), { code: "SOCKET_PATH" });
      for (const path of ["", "\0abstract", `${directory}/a\0b`]) {
        await assert.rejects(start(path), { code: "SOCKET_PATH" });
      }
      writeFileSync(join(directory, "file"), "");
      await assert.rejects(start(join(directory, "file", "sub", "aesm.socket")), { code: "SOCKET_DIRECTORY" });
    }));

  it("takeover under load: the old server notices, drains and leaves, and no request fails", () =>
    inTemporaryDirectory(async (directory) => {
      const path = join(directory, "aesm.socket");
      let reason: string | undefined;
      const old = await start(path, { onLost: (why: string) => (reason = why) });
      let running = true;
      let calls = 0;
      const load = Array.from({ length: 8 }, async () => {
        while (running) {
          assert.equal(await count(path), 1);
          calls++;
        }
      });
      await until(() => calls > 100);
      const successor = await start(path, { takeover: true });
      await old.closed;
      const before = calls;
      await until(() => calls > before + 100);
      running = false;
      await Promise.all(load);
      assert.equal(reason, "replaced");
      assert.ok(successor.socketFile.isOurs());
      await successor.close();
      assert.deepEqual(readdirSync(directory), []);
    }));

  it("a path that is no longer ours is not removed", () =>
    inTemporaryDirectory(async (directory) => {
      const path = join(directory, "aesm.socket");
      const running = await start(path);
      rmSync(path);
      await leaveStaleSocket(path);
      await running.close();
      assert.ok(existsSync(path));
    }));

  it("a path that vanishes is noticed", () =>
    inTemporaryDirectory(async (directory) => {
      const path = join(directory, "aesm.socket");
      let reason: string | undefined;
      const running = await start(path, { onLost: (why: string) => (reason = why) });
      rmSync(path);
      await running.closed;
      assert.equal(reason, "removed");
    }));

  it("a path that leads to something else than a socket is lost, not taken over", () =>
    inTemporaryDirectory(async (directory) => {
      const path = join(directory, "aesm.socket");
      let reason: string | undefined;
      const running = await start(path, { onLost: (why: string) => (reason = why) });
      writeFileSync(join(directory, "file"), "precious");
      renameSync(join(directory, "file"), path);
      await running.closed;
      assert.equal(reason, "removed");
      assert.ok(lstatSync(path).isFile());
    }));

  it("at the end whoever connected before is answered, even if the request comes afterwards", () =>
    inTemporaryDirectory(async (directory) => {
      const path = join(directory, "aesm.socket");
      const running = await start(path);
      const early = await new RawConnection(path).opened();
      const closing = running.close();
      assert.equal(existsSync(path), false);
      await early.send(Uint8Array.from([6, 0, 0, 0, 0xaa, 1, 3, 0x48, 0x98, 0x75]));
      assert.equal((await early.received()).length, 11);
      await closing;
    }));
});
