import assert from "node:assert/strict";
import fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import fc from "fast-check";
import { readHostFile, resolveHostPath } from "./host-file-system.ts";
import { nodeHostFileSystem, watchHostDirectory } from "./node-host-file-system.ts";
import { inspectSgxDevices } from "./sgx-devices.ts";
import { probeSgxNode } from "./sgx-node.ts";

let base = "";
let root = "";
beforeEach(() => {
  base = fs.mkdtempSync(join(tmpdir(), "confcom-host-"));
  root = join(base, "host");
  fs.mkdirSync(join(root, "dev"), { recursive: true });
});
afterEach(() => fs.rmSync(base, { recursive: true, force: true }));

const text = (path: string, limit = 100) =>
  new TextDecoder().decode(readHostFile(nodeHostFileSystem(root), path, limit));

describe("the host's files below a prefix", () => {
  it("an absolute link means what it means on the host, not in this container", () => {
    fs.writeFileSync(join(root, "dev/real"), "the host's");
    fs.symlinkSync("/dev/real", join(root, "dev/name"));
    assert.equal(text("/dev/name"), "the host's");
    assert.equal(resolveHostPath(nodeHostFileSystem(root), "/dev/name").path, "/dev/real");
  });

  it("no link leads out of the prefix: .. at the host's root stays there", () => {
    fs.writeFileSync(join(base, "secret"), "outside");
    fs.writeFileSync(join(root, "secret"), "inside");
    fs.symlinkSync("../../../../secret", join(root, "dev/up"));
    fs.symlinkSync(join(base, "secret"), join(root, "dev/absolute"));
    assert.equal(text("/dev/up"), "inside");
    assert.throws(() => text("/dev/absolute"), { code: "ENOENT", throughLink: true });
    assert.equal(text("/dev/../../secret"), "inside");
  });

  it("what is said to stand there is what stands where the path ends, links to directories above included", () => {
    const host = nodeHostFileSystem(root);
    fs.symlinkSync("..", join(root, "dev/up"));
    fs.symlinkSync("/", join(root, "dev/top"));
    for (const path of ["/dev/up", "/dev/top", "/dev/..", "/", "/dev/up/dev/.."]) {
      const { path: resolved, entry } = resolveHostPath(host, path);
      assert.deepEqual([resolved, entry.kind, entry.inode], ["/", "directory", fs.statSync(root).ino], path);
    }
  });

  it("a file is no directory, not even on the way back", () => {
    fs.writeFileSync(join(root, "dev/file"), "");
    for (const path of ["/dev/file/x", "/dev/file/..", "/dev/file/../file"]) {
      assert.throws(() => resolveHostPath(nodeHostFileSystem(root), path), { code: "ENOTDIR", at: "/dev/file" });
    }
  });

  it("whatever links there are, what is resolved is below the prefix, has no link in it, or is an error", () => {
    const name = fc.constantFrom("a", "b", "c");
    const target = fc.array(fc.constantFrom("..", ".", "a", "b", "c", ""), { minLength: 1, maxLength: 5 });
    const links = fc.array(fc.tuple(name, target, fc.boolean()), { maxLength: 3 });
    fc.assert(
      fc.property(links, target, (planted, asked) => {
        const top = fs.mkdtempSync(join(base, "p"));
        fs.mkdirSync(join(top, "a/b/c"), { recursive: true });
        for (const [at, parts, absolute] of planted) {
          const path = join(top, "a", at);
          if (fs.lstatSync(path, { throwIfNoEntry: false }) === undefined)
            fs.symlinkSync(`${absolute ? "/" : "./"}${parts.join("/")}`, path);
        }
        const host = nodeHostFileSystem(top);
        try {
          const { path } = resolveHostPath(host, `/a/${asked.join("/")}`);
          assert.equal(fs.realpathSync(join(top, path)), join(fs.realpathSync(top), path).replace(/(.)\/$/, "$1"));
        } catch (error) {
          assert.match((error as { code: string }).code, /^(ENOENT|ELOOP)$/);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("a file is read to its end, whatever size it claims, and refused beyond the limit", () => {
    fs.writeFileSync(join(root, "dev/file"), "x".repeat(100));
    assert.equal(text("/dev/file").length, 100);
    assert.throws(() => text("/dev/file", 99), { code: "EFBIG" });
    // A file of /proc claims 0 bytes, as those of sysfs claim 4096.
    assert.ok(readHostFile(nodeHostFileSystem("/"), "/proc/self/cmdline", 65_536).length > 0);
  });

  it("what is no file is not read: nothing blocks", () => {
    assert.throws(() => text("/dev"), { code: "EISDIR" });
    assert.throws(() => readHostFile(nodeHostFileSystem("/"), "/dev/null", 10), { code: "EINVAL" });
  });

  it("the implementation itself refuses paths that could leave the prefix", () => {
    for (const path of ["dev", "", "/dev/../../x"]) {
      assert.throws(() => nodeHostFileSystem(root).lstat(path), { code: "EINVAL" });
    }
  });

  it("a prefix with a slash at its end, and the root itself, are prefixes too", () => {
    fs.writeFileSync(join(root, "dev/file"), "x");
    assert.equal(nodeHostFileSystem(`${root}/`).lstat("/dev/file").kind, "file");
    assert.equal(nodeHostFileSystem("/").lstat("/dev/null").kind, "character device");
  });

  it("a real character device is found through its link, by its path on the host", () => {
    fs.symlinkSync("null", join(root, "dev/sgx_enclave"));
    const missing = inspectSgxDevices(nodeHostFileSystem(root));
    assert.match(missing.problems[0]?.message ?? "", /sgx_enclave is a link to \/dev\/null, which is not there/);
    const { rdev, ino } = fs.statSync("/dev/null");
    const entry = nodeHostFileSystem("/").lstat("/dev/null");
    assert.deepEqual([entry.deviceNumber, entry.inode], [rdev, ino]);
  });

  it("EPC of a real directory tree", () => {
    const node = join(root, "sys/devices/system/node/node0/x86");
    fs.mkdirSync(node, { recursive: true });
    fs.writeFileSync(join(node, "sgx_total_bytes"), "8589934592\n");
    assert.equal(probeSgxNode({ root: nodeHostFileSystem(root) }).epc.totalMiB, 8192);
  });

  it("a directory is watched where it can be", async () => {
    assert.equal(
      watchHostDirectory(root, "/nowhere", () => undefined),
      undefined,
    );
    const seen = Promise.withResolvers<string | undefined>();
    const stop = watchHostDirectory(root, "/dev", seen.resolve);
    fs.writeFileSync(join(root, "dev/sgx_enclave"), "");
    assert.equal(await seen.promise, "sgx_enclave");
    stop?.();
  });
});
