import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { NodeOptions, SgxDeviceName, SgxFixture } from "./cluster.ts";
import { ClusterError } from "./errors.ts";
import { MACHINE_PATHS } from "./layout.ts";

const MIB = 1024 * 1024;

/** Major and minor number of the device that stands in: null for the enclave device, zero for the provisioning device. */
export const STAND_INS: Readonly<Record<SgxDeviceName, readonly [major: number, minor: number]>> = {
  sgx_enclave: [1, 3],
  sgx_provision: [1, 5],
};

/** Makes the stand-in for /sys/devices/system/node: `nodeN` directories, with `x86/sgx_total_bytes` where the machine has SGX. */
export function createSysfsNode(directory: string, sgx: NodeOptions["sgx"]): void {
  const numaNodes = sgx?.numaNodes ?? 1;
  for (let node = 0; node < numaNodes; node++) mkdirSync(join(directory, `node${node}`), { recursive: true });
  const range = numaNodes === 1 ? "0" : `0-${numaNodes - 1}`;
  for (const file of ["online", "possible"]) writeFileSync(join(directory, file), `${range}\n`);
  if (sgx !== undefined) writeEpc(directory, sgx.epcMiB);
}

/** As the kernel does, bytes in decimal per NUMA node; each file is replaced as a whole, so a reader never sees half. */
export function writeEpc(directory: string, totalMiB: number): void {
  const nodes = readdirSync(directory).filter((name) => /^node\d+$/.test(name));
  nodes.sort();
  const share = Math.floor(totalMiB / nodes.length);
  for (const [index, node] of nodes.entries()) {
    const mine = index === 0 ? totalMiB - share * (nodes.length - 1) : share;
    const x86 = join(directory, node, "x86");
    mkdirSync(x86, { recursive: true });
    const file = join(x86, "sgx_total_bytes");
    writeFileSync(`${file}.new`, `${mine * MIB}\n`);
    renameSync(`${file}.new`, file);
  }
}

/** Works on the node's /dev from outside, through the root directory of its first process. */
export function sgxFixture(init: () => number, sysfsNode: string): SgxFixture {
  const device = (name: SgxDeviceName) => `/proc/${init()}/root/dev/${name}`;
  return {
    sysfsNodeDirectory: MACHINE_PATHS.sysfsNode,
    setEpcMiB: (total) => writeEpc(sysfsNode, total),
    removeDevice: (name) => rmSync(device(name), { force: true }),
    addDevice: (name) => {
      const path = device(name);
      if (existsSync(path)) return;
      const { status, stderr } = spawnSync("mknod", ["-m", "666", path, "c", ...STAND_INS[name].map(String)]);
      if (status !== 0) throw new ClusterError("COMMAND_FAILED", `mknod ${name}: ${stderr?.toString().trim()}`);
    },
  };
}
