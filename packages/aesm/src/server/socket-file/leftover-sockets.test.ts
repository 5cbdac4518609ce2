import assert from "node:assert/strict";
import { lutimesSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { basename, join } from "node:path";
import { describe, it } from "node:test";
import { inTemporaryDirectory } from "../../testing/served.ts";
import { leaveStaleSocket } from "../../testing/stale-socket.ts";
import { openSocketFile } from "./socket-file.ts";

/** Makes a file look two minutes old. */
function age(path: string): void {
  const then = Date.now() / 1000 - 120;
  lutimesSync(path, then, then);
}

async function leaveOldSocket(path: string): Promise<void> {
  await leaveStaleSocket(path);
  age(path);
}

/** What is there after a start and its end. */
async function afterStart(path: string, directory: string): Promise<string[]> {
  const opened = await openSocketFile({ path });
  opened.remove();
  return readdirSync(directory).sort();
}

describe("temporary sockets of processes that were killed while starting", () => {
  it("are removed by the next start, however many, once they are a minute old", () =>
    inTemporaryDirectory(async (directory) => {
      for (const owner of ["1-1", "1-2", `${process.pid}-99`, "4194304-1"]) {
        await leaveOldSocket(join(directory, `.aesm.socket.${owner}`));
      }
      assert.deepEqual(await afterStart(join(directory, "aesm.socket"), directory), []);
    }));

  it("are found under the short name, too, where the path leaves no room for the long one", () =>
    inTemporaryDirectory(async (directory) => {
      const path = join(directory, "x".repeat(105 - directory.length));
      await leaveOldSocket(join(directory, ".1-1"));
      assert.deepEqual(await afterStart(path, directory), []);
    }));

  it("stay while they are young: their process may be starting still, in a container we do not see", () =>
    inTemporaryDirectory(async (directory) => {
      await leaveStaleSocket(join(directory, ".aesm.socket.1-1"));
      assert.deepEqual(await afterStart(join(directory, "aesm.socket"), directory), [".aesm.socket.1-1"]);
    }));

  it("stay while somebody listens, or has bound and will", { skip: process.platform !== "linux" }, () =>
    inTemporaryDirectory(async (directory) => {
      const path = join(directory, "aesm.socket");
      const starting = await openSocketFile({ path });
      const bound = readdirSync(directory);
      const listening = createServer();
      await new Promise<void>((resolve) => listening.listen(join(directory, ".aesm.socket.1-1"), resolve));
      const present = readdirSync(directory).sort();
      for (const name of present) age(join(directory, name));
      assert.equal(bound.length, 1);
      assert.deepEqual(await afterStart(path, directory), present);
      await starting.publish();
      assert.ok(starting.isOurs());
      starting.remove();
      await new Promise<void>((resolve) => listening.close(() => resolve()));
    }),
  );

  it("are never anything else: files, directories, links, another path's sockets, other names", () =>
    inTemporaryDirectory(async (directory) => {
      writeFileSync(join(directory, ".aesm.socket.1-1"), "precious");
      mkdirSync(join(directory, ".aesm.socket.1-2"));
      await leaveOldSocket(join(directory, "other.socket"));
      symlinkSync("other.socket", join(directory, ".aesm.socket.1-3"));
      for (const name of [".other.socket.1-1", ".aesm.socket.1", ".aesm.socket.1-1x", ".1-1", "aesm.socket.1-1"]) {
        await leaveOldSocket(join(directory, name));
      }
      const present = readdirSync(directory).sort();
      for (const name of present) age(join(directory, name));
      assert.deepEqual(await afterStart(join(directory, "aesm.socket"), directory), present);
    }));

  it("a name of ours that exists is left alone, whatever it is, and another one taken", () =>
    inTemporaryDirectory(async (directory) => {
      const path = join(directory, "aesm.socket");
      const opened = await openSocketFile({ path });
      const [name = ""] = readdirSync(directory);
      opened.remove();
      const next = Number(/-(\d+)$/.exec(basename(name))?.[1]) + 1;
      mkdirSync(join(directory, `.aesm.socket.${process.pid}-${next}`));
      await leaveStaleSocket(join(directory, `.aesm.socket.${process.pid}-${next + 1}`));
      const present = readdirSync(directory).sort();
      assert.deepEqual(await afterStart(path, directory), present);
    }));
});
