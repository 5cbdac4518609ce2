import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { librariesOf } from "./shared-libraries.ts";

describe("the libraries that ldd names", () => {
  it("are those with a path, and the loader; the kernel's own has none", () => {
    const report = [
      "\tlinux-vdso.so.1 (0x00007f76a4fe8000)",
      "\tlibm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x00007f76a4ee8000)",
      "\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f76a4a1e000)",
      "\t/lib64/ld-linux-x86-64.so.2 (0x00007f76a4fea000)",
      "",
    ].join("\n");
    assert.deepEqual(librariesOf(report, "node"), [
      "/lib/x86_64-linux-gnu/libc.so.6",
      "/lib/x86_64-linux-gnu/libm.so.6",
      "/lib64/ld-linux-x86-64.so.2",
    ]);
  });

  it("must all be there", () => {
    assert.throws(
      () => librariesOf("\tlibatomic.so.1 => not found\n", "node"),
      /node needs libatomic\.so\.1, which is not/,
    );
  });

  it("are an error when there are none: the program is not what it should be", () => {
    assert.throws(() => librariesOf("\tstatically linked\n", "node"), /names no library of node/);
  });
});
