import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inspectSgxDevices } from "./sgx-devices.ts";
import { MemoryHost, type Planted } from "./testing/memory-host.ts";

const provision = { "/dev/sgx_provision": { device: 2 } } as const;
const inspect = (files: Readonly<Record<string, Planted>>) =>
  inspectSgxDevices(new MemoryHost({ "/dev/null": { device: 3 }, ...files }));

describe("SGX devices", () => {
  for (const [what, planted, code, message] of [
    ["a file", "text", "SGX_DEVICE_KIND", /sgx_enclave is a file, not a character device/],
    ["a directory", { kind: "directory" }, "SGX_DEVICE_KIND", /sgx_enclave is a directory/],
    ["a block device", { kind: "block device" }, "SGX_DEVICE_KIND", /is a block device/],
    ["a socket", { kind: "fifo or socket" }, "SGX_DEVICE_KIND", /is a fifo or socket/],
    ["a dangling link", { link: "/dev/gone" }, "SGX_DEVICE_LINK", /is a link to \/dev\/gone, which is not there/],
    ["a link to itself", { link: "sgx_enclave" }, "SGX_DEVICE_LINK", /leads in a circle/],
    ["a link through a file", { link: "null/x" }, "SGX_DEVICE_LINK", /is not there/],
    [
      "a link out of /dev",
      { link: "/etc/passwd" },
      "SGX_DEVICE_LINK",
      /leads to \/etc\/passwd, which is not below \/dev/,
    ],
    ["forbidden", { denied: "EACCES" }, "SGX_DEVICE_PERMISSION", /permission denied at \/dev\/sgx_enclave \(EACCES\)/],
    ["broken", { denied: "EIO" }, "SGX_DEVICE_PERMISSION", /cannot be looked at at? ?.*\(EIO\)/],
  ] as const) {
    it(`an enclave device that is ${what} is none: ${code}`, () => {
      const found = inspect({ ...provision, "/dev/sgx_enclave": planted, "/etc/passwd": "root" });
      assert.equal(found.enclave, undefined);
      assert.equal(found.generation, null);
      assert.deepEqual(
        found.problems.map((problem) => problem.code),
        [code],
      );
      assert.match(found.problems[0]?.message ?? "", message);
    });
  }

  it("a name that is unusable does not hide another that is usable, and is told all the same", () => {
    const found = inspect({
      ...provision,
      "/dev/sgx_enclave": { kind: "directory" },
      "/dev/sgx/enclave": { device: 1 },
    });
    assert.equal(found.enclave?.hostPath, "/dev/sgx/enclave");
    assert.equal(found.generation, "dcap");
    assert.equal(found.problems[0]?.code, "SGX_DEVICE_KIND");
  });

  it("links are resolved to the node: several of them, relative and absolute, through linked directories", () => {
    const found = inspect({
      ...provision,
      "/dev/sgx_enclave": { link: "/dev/by-name/sgx" },
      "/dev/by-name": { link: "misc" },
      "/dev/misc/sgx": { link: "./../char/10:125" },
      "/dev/char/10:125": { device: 0x0a7d, inode: 77 },
    });
    assert.deepEqual(found.enclave, {
      name: "/dev/sgx_enclave",
      hostPath: "/dev/char/10:125",
      inode: 77,
      deviceNumber: 0x0a7d,
      mode: 0o666,
    });
    assert.deepEqual(found.problems, []);
    assert.equal(found.generation, "in-tree");
  });

  it("a link with more .. than there are directories stays below the root", () => {
    const found = inspect({ ...provision, "/dev/sgx_enclave": { link: "../../../../dev/null" } });
    assert.equal(found.enclave?.hostPath, "/dev/null");
  });

  it("an enclave device without a provisioning device: enclaves run, provisioning is missing and said to be", () => {
    const found = inspect({ "/dev/sgx_enclave": { device: 1 } });
    assert.equal(found.enclave?.hostPath, "/dev/sgx_enclave");
    assert.equal(found.provision, undefined);
    assert.equal(found.problems[0]?.code, "SGX_PROVISION_MISSING");
  });

  it("a device that only some users may open is said to be one", () => {
    const found = inspect({ ...provision, "/dev/sgx_enclave": { device: 1, mode: 0o660 } });
    assert.equal(found.enclave?.mode, 0o660);
    assert.match(found.problems[0]?.message ?? "", /sgx_enclave has mode 0660/);
  });

  it("the directory /dev/sgx is not mistaken for the oldest driver's node", () => {
    const found = inspect({ "/dev/sgx/provision": { device: 2 } });
    assert.deepEqual(
      found.problems.map(({ code }) => code),
      ["SGX_DEVICE_MISSING"],
    );
  });

  it("the legacy driver beside a current one is no problem", () => {
    const found = inspect({ ...provision, "/dev/sgx_enclave": { device: 1 }, "/dev/isgx": { device: 9 } });
    assert.deepEqual(found.problems, []);
  });
});
