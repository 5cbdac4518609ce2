import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { probeSgxNode } from "./sgx-node.ts";
import { MemoryHost } from "./testing/memory-host.ts";
import { IN_TREE, NODE_TYPES, sysfs } from "./testing/node-types.ts";

describe("node types", () => {
  for (const type of NODE_TYPES) {
    it(type.name, () => {
      const configuration = type.source === "configuration" ? { epcMiB: type.totalMiB } : {};
      const node = probeSgxNode({ root: new MemoryHost(type.files) }, configuration);
      assert.equal(node.epc.totalMiB, type.totalMiB);
      assert.equal(node.epc.source, type.source);
      assert.equal(node.devices.generation, type.generation);
      assert.equal(node.devices.enclave?.hostPath, type.enclave);
      assert.equal(node.devices.provision?.hostPath, type.provision);
      assert.equal(node.capable, type.capable);
      assert.deepEqual(
        node.problems.map(({ code }) => code),
        type.problems,
      );
      if (type.numaNodes === undefined) return;
      const expected = type.numaNodes.flatMap((mib, number) => (mib === 0 ? [] : [[number, mib]]));
      assert.deepEqual(
        node.epc.perNumaNode.map(({ node: number, mib }) => [number, mib]),
        expected,
      );
    });
  }
});

describe("EPC sources", () => {
  const misc = (text: string) => ({ "/sys/fs/cgroup/misc.capacity": text });

  it("sysfs is preferred to misc.capacity, that to configuration; each says what it knows", () => {
    const all = { ...IN_TREE, ...sysfs(1 << 30), ...misc("sgx_epc 2147483648\n") };
    const configuration = { epcMiB: 7 };
    const totals = ["sysfs", "misc.capacity", "configuration"].map((source) => {
      const files = new MemoryHost(all);
      if (source !== "sysfs") files.remove("/sys/devices/system/node/node0/x86/sgx_total_bytes");
      if (source === "configuration") files.remove("/sys/fs/cgroup/misc.capacity");
      const { epc } = probeSgxNode({ root: files }, configuration);
      assert.equal(epc.source, source);
      assert.deepEqual(
        epc.tried.map((one) => one.source),
        ["sysfs", "misc.capacity", "cpuid", "configuration"],
      );
      for (const { why } of epc.tried) assert.match(why, /\w+ \w+/);
      return epc.totalMiB;
    });
    assert.deepEqual(totals, [1024, 2048, 7]);
  });

  for (const [content, why] of [
    ["", /"" is not a number of bytes/],
    ["0", /less than 1 MiB/],
    ["1048575", /less than 1 MiB/],
    ["-1048576", /not a number of bytes/],
    ["1e9", /not a number of bytes/],
    ["0x40000000", /not a number of bytes/],
    ["1048576 1048576", /not a number of bytes/],
    ["\u0000\u001b[2J", /"\?\?\[2J" is not a number/],
    ["99999999999999999999", /cannot be/],
    ["18446744073709551615", /cannot be/],
    ["9".repeat(200), /"9{40}\.\.\." bytes cannot be/],
    ["1".repeat(5000), /cannot be read \(EFBIG\)/],
  ] as const) {
    it(`sgx_total_bytes ${JSON.stringify(content.slice(0, 24))} makes sysfs unusable and says so`, () => {
      const { epc } = probeSgxNode({ root: new MemoryHost({ ...IN_TREE, ...sysfs(content) }) });
      assert.equal(epc.totalMiB, 0);
      assert.match(epc.tried[0]?.why ?? "", why);
      assert.equal(epc.problem?.code, "SGX_EPC_UNKNOWN");
      assert.match(epc.problem?.message ?? "", why);
    });
  }

  it("one node's odd file makes sysfs unusable: a sum of the others would be wrong in silence", () => {
    const { epc } = probeSgxNode({ root: new MemoryHost({ ...IN_TREE, ...sysfs(1 << 30, "?") }) });
    assert.equal(epc.source, null);
    assert.match(epc.tried[0]?.why ?? "", /node1\/x86\/sgx_total_bytes: "\?" is not/);
  });

  it("NUMA nodes without SGX, and names that are no node, do not matter", () => {
    const host = new MemoryHost({
      ...IN_TREE,
      "/sys/devices/system/node/node1/meminfo": "x",
      "/sys/devices/system/node/node2/x86/sgx_total_bytes": "1048576",
      "/sys/devices/system/node/node02/x86/sgx_total_bytes": "1048576",
      "/sys/devices/system/node/nodes/x86/sgx_total_bytes": "1048576",
      "/sys/devices/system/node/node99999/x86/sgx_total_bytes": "1048576",
    });
    assert.deepEqual(probeSgxNode({ root: host }).epc.perNumaNode, [{ node: 2, bytes: 1048576, mib: 1 }]);
  });

  it("NUMA nodes are told in the order of their numbers, whatever the directory's", () => {
    const at = (node: number) => `/sys/devices/system/node/node${node}/x86/sgx_total_bytes`;
    const host = new MemoryHost({ [at(10)]: "1048576", [at(2)]: "2097152", [at(0)]: "3145728" });
    assert.deepEqual(
      probeSgxNode({ root: host }).epc.perNumaNode.map(({ node, mib }) => [node, mib]),
      [
        [0, 3],
        [2, 2],
        [10, 1],
      ],
    );
  });

  it("nodes that are plausible one by one may not be so together", () => {
    const { epc } = probeSgxNode({ root: new MemoryHost(sysfs(2 ** 44, 2 ** 44)) });
    assert.equal(epc.source, null);
    assert.match(epc.tried[0]?.why ?? "", /the nodes' 35184372088832 bytes cannot be/);
  });

  it("misc.capacity: only one line that is exactly sgx_epc and a number will do", () => {
    for (const [text, why] of [
      ["", /no line sgx_epc/],
      ["sgx_epcs 1048576\n", /no line sgx_epc/],
      ["sgx_epc\n", /"" is not a number/],
      ["sgx_epc max\n", /"max" is not a number/],
      ["sgx_epc -5\n", /"-5" is not a number/],
      ["sgx_epc 5\n", /less than 1 MiB/],
      ["sgx_epc 1048576\nsgx_epc 2097152\n", /2 lines/],
    ] as const) {
      const { epc } = probeSgxNode({ root: new MemoryHost(misc(text)) });
      assert.equal(epc.source, null, text);
      assert.match(epc.tried[1]?.why ?? "", why);
    }
  });

  it("a configured size that is no whole number of MiB is refused in words", () => {
    for (const epcMiB of [0, -1, 1.5, Number.NaN, 2 ** 40]) {
      const { epc } = probeSgxNode({ root: new MemoryHost() }, { epcMiB });
      assert.equal(epc.source, null);
      assert.match(epc.tried[3]?.why ?? "", /is not a whole number of MiB from 1 to 16777216/);
    }
  });

  it("permission denied is told from not there", () => {
    const host = new MemoryHost({ "/sys/devices/system/node": { denied: "EACCES" } });
    assert.match(probeSgxNode({ root: host }).epc.tried[0]?.why ?? "", /cannot be read \(EACCES\)/);
  });
});
