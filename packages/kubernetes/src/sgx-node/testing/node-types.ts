import type { SgxDriverGeneration } from "../sgx-devices.ts";
import type { Planted } from "./memory-host.ts";

/** A kind of node that exists, as its files, and what must be found on it (spec: Kubernetes §2, §4.5). */
export interface NodeType {
  readonly name: string;
  readonly files: Readonly<Record<string, Planted>>;
  readonly totalMiB: number;
  readonly numaNodes?: readonly number[];
  readonly source: string | null;
  readonly generation: SgxDriverGeneration | null;
  /** Host paths handed to the kubelet. */
  readonly enclave: string | undefined;
  readonly provision: string | undefined;
  readonly capable: boolean;
  /** Codes of the problems, in order. */
  readonly problems: readonly string[];
}

type Files = Readonly<Record<string, Planted>>;

const IN_TREE: Files = {
  "/dev/sgx_enclave": { device: 0x0a7d },
  "/dev/sgx_provision": { device: 0x0a7e },
};
const UDEV_LINKS: Files = {
  "/dev/sgx/enclave": { link: "../sgx_enclave" },
  "/dev/sgx/provision": { link: "../sgx_provision" },
};
const DCAP: Files = {
  "/dev/sgx/enclave": { device: 0x0a3a },
  "/dev/sgx/provision": { device: 0x0a39 },
};
const NODE = "/sys/devices/system/node";

/** sysfs of a machine whose NUMA nodes have that many bytes of EPC each. */
function sysfs(...bytes: readonly (number | string)[]): Files {
  const nodes = bytes.map((each, node): [string, string] => [`${NODE}/node${node}/x86/sgx_total_bytes`, `${each}\n`]);
  return { [`${NODE}/online`]: "0\n", [`${NODE}/has_cpu`]: "0\n", ...Object.fromEntries(nodes) };
}

/** sysfs of a machine without SGX. */
const NO_SGX_SYSFS: Files = { [`${NODE}/online`]: "0\n", [`${NODE}/node0/meminfo`]: "\n" };

const GIB = 1024 ** 3;
const FINE = { capable: true, problems: [], source: "sysfs" } as const;
const IN_TREE_FOUND = { generation: "in-tree", enclave: "/dev/sgx_enclave", provision: "/dev/sgx_provision" } as const;
const DCAP_FOUND = { generation: "dcap", enclave: "/dev/sgx/enclave", provision: "/dev/sgx/provision" } as const;
const NOTHING_FOUND = { generation: null, enclave: undefined, provision: undefined } as const;

const AZURE_V3 = { DC1s: 4, DC2s: 8, DC4s: 16, DC8s: 32, DC16s: 64, DC24s: 128, DC32s: 192, DC48s: 256 } as const;

/** DCsv2 machines: 28 to 168 MiB, on kernels that are older than the sysfs files. */
const AZURE_V2 = { DC1s_v2: 28, DC2s_v2: 56, DC4s_v2: 112, DC8_v2: 168 } as const;

export const NODE_TYPES: readonly NodeType[] = [
  ...Object.entries(AZURE_V3).map(([name, gib]) => ({
    ...FINE,
    ...IN_TREE_FOUND,
    name: `Standard_${name}_v3: ${gib} GiB, in-tree driver with udev's links`,
    files: { ...IN_TREE, ...UDEV_LINKS, ...sysfs(gib * GIB) },
    totalMiB: gib * 1024,
  })),
  ...Object.entries(AZURE_V2).map(([name, mib]) => ({
    ...FINE,
    ...DCAP_FOUND,
    name: `Standard_${name}: ${mib} MiB, DCAP driver on a kernel without sysfs, from configuration`,
    files: { ...DCAP, ...NO_SGX_SYSFS },
    totalMiB: mib,
    source: "configuration",
  })),
  {
    ...FINE,
    ...IN_TREE_FOUND,
    name: "bare metal, two sockets of 512 GiB",
    files: { ...IN_TREE, ...sysfs(512 * GIB, 512 * GIB) },
    totalMiB: 1_048_576,
    numaNodes: [524_288, 524_288],
  },
  {
    ...FINE,
    ...IN_TREE_FOUND,
    name: "sizes that are no whole MiB: each NUMA node is rounded down",
    files: { ...IN_TREE, ...sysfs(93.5 * 1024 ** 2, 93.5 * 1024 ** 2) },
    totalMiB: 186,
    numaNodes: [93, 93],
  },
  {
    ...FINE,
    ...IN_TREE_FOUND,
    name: "EPC on the second socket only",
    files: { ...IN_TREE, ...sysfs(0, 8 * GIB) },
    totalMiB: 8_192,
    numaNodes: [0, 8_192],
  },
  {
    ...FINE,
    ...IN_TREE_FOUND,
    name: "a kernel that accounts EPC in cgroups, sysfs not mounted",
    files: { ...IN_TREE, "/sys/fs/cgroup/misc.capacity": "sev 0\nsgx_epc 4294967296\n" },
    totalMiB: 4_096,
    source: "misc.capacity",
  },
  {
    ...FINE,
    ...DCAP_FOUND,
    name: "DCAP driver, real nodes below /dev/sgx",
    files: { ...DCAP, ...sysfs(64 * GIB) },
    totalMiB: 65_536,
  },
  {
    ...FINE,
    ...DCAP_FOUND,
    name: "DCAP driver with links of the in-tree names made by hand: the nodes behind them",
    files: {
      ...DCAP,
      ...sysfs(8 * GIB),
      "/dev/sgx_enclave": { link: "/dev/sgx/enclave" },
      "/dev/sgx_provision": { link: "/dev/sgx/provision" },
    },
    totalMiB: 8_192,
  },
  {
    ...FINE,
    name: "the oldest DCAP driver: /dev/sgx is the only node",
    files: { "/dev/sgx": { device: 0x0a3b }, ...sysfs(GIB) },
    totalMiB: 1_024,
    generation: "dcap-single",
    enclave: "/dev/sgx",
    provision: undefined,
    problems: ["SGX_PROVISION_MISSING"],
  },
  {
    ...NOTHING_FOUND,
    name: "the legacy EPID driver: named, of no use",
    files: { "/dev/isgx": { device: 0x0a3c }, ...sysfs(GIB) },
    totalMiB: 1_024,
    source: "sysfs",
    generation: "epid",
    capable: false,
    problems: ["SGX_DRIVER_EPID"],
  },
  {
    ...NOTHING_FOUND,
    name: "no SGX",
    files: { "/dev/null": { device: 0x0103 }, ...NO_SGX_SYSFS },
    totalMiB: 0,
    source: null,
    capable: false,
    problems: ["SGX_DEVICE_MISSING", "SGX_EPC_UNKNOWN"],
  },
  {
    ...IN_TREE_FOUND,
    name: "devices only",
    files: { ...IN_TREE, ...NO_SGX_SYSFS },
    totalMiB: 0,
    source: null,
    capable: false,
    problems: ["SGX_EPC_UNKNOWN"],
  },
  {
    ...NOTHING_FOUND,
    name: "EPC only",
    files: { "/dev/null": { device: 0x0103 }, ...sysfs(8 * GIB) },
    totalMiB: 8_192,
    source: "sysfs",
    capable: false,
    problems: ["SGX_DEVICE_MISSING"],
  },
];

export { IN_TREE, sysfs };
