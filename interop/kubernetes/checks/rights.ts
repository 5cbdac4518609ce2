import {
  AESM_DIRECTORY,
  AZURE_EPC_RESOURCE,
  ENCLAVE_RESOURCE,
  PLUGIN_NAME,
  PROVISION_RESOURCE,
  QUOTE_HELPER_NAME,
  QUOTE_RESOURCE,
} from "@confcom/kubernetes";
import { type Check, expectEqual } from "../../check.ts";
import type { ClusterScene } from "../scene.ts";
import { NAMESPACE, SGX_NODE } from "../scene-names.ts";
import { probe, type Seen } from "../workload/probe.ts";

/** What a container must be able to use, and with that everything that it must not. */
interface Rights {
  readonly enclave: boolean;
  readonly provision: boolean;
  readonly quotes: boolean;
}

const NONE: Rights = { enclave: false, provision: false, quotes: false };

/** Throws unless the container sees exactly what these rights give: devices under both spellings, environment, mounts. */
export function expectRights(who: string, seen: Seen, { enclave, provision, quotes }: Rights): void {
  const device = (has: boolean) => (has ? "ok" : "ENOENT");
  expectEqual(seen.sgx["/dev/sgx_enclave"], device(enclave), `${who}: /dev/sgx_enclave`);
  expectEqual(seen.sgx["/dev/sgx/enclave"], device(enclave), `${who}: /dev/sgx/enclave`);
  expectEqual(seen.sgx["/dev/sgx_provision"], device(provision), `${who}: /dev/sgx_provision`);
  expectEqual(seen.sgx["/dev/sgx/provision"], device(provision), `${who}: /dev/sgx/provision`);
  expectEqual(JSON.stringify(seen.env), quotes ? '{"SGX_AESM_ADDR":"1"}' : "{}", `${who}: environment`);
  const mount = seen.mounts.find(({ point }) => point === AESM_DIRECTORY || point === "/run/aesmd");
  expectEqual(mount?.readOnly, quotes ? true : undefined, `${who}: read-only mount of the socket's directory`);
  expectEqual(seen.aesm.connect, quotes ? "ok" : "ENOENT", `${who}: connecting to the AESM socket`);
  if (quotes) expectEqual(seen.aesm.create, "EROFS", `${who}: making a file beside the AESM socket`);
}

export const rights: readonly Check<ClusterScene>[] = [
  {
    name: "each right is a resource: devices, environment and mounts seen inside",
    deadline: 90_000,
    async run(scene) {
      await scene.installed();
      const kinds: readonly [stem: string, limits: Record<string, number>, rights: Rights][] = [
        ["sees-epc", { [AZURE_EPC_RESOURCE]: 10 }, { ...NONE, enclave: true }],
        ["sees-enclave-slot", { [ENCLAVE_RESOURCE]: 1 }, { ...NONE, enclave: true }],
        ["sees-provision", { [PROVISION_RESOURCE]: 1 }, { ...NONE, provision: true }],
        ["sees-quote-slot", { [QUOTE_RESOURCE]: 1 }, { ...NONE, quotes: true }],
        [
          "sees-epc-and-quote-slot",
          { [AZURE_EPC_RESOURCE]: 10, [QUOTE_RESOURCE]: 1 },
          { ...NONE, enclave: true, quotes: true },
        ],
        ["sees-nothing", {}, NONE],
      ];
      const probes = await Promise.all(kinds.map(([stem, limits]) => probe(scene, stem, { limits, node: SGX_NODE })));
      for (const [index, [stem, , expected]] of kinds.entries()) {
        expectRights(stem, (probes[index] as { seen: Seen }).seen, expected);
      }
      await Promise.all(probes.map(({ pod }) => scene.api.deletePod(scene.applications, pod)));
      scene.figures["request to running, ms"] = Object.fromEntries(probes.map(({ pod, ms }) => [pod, ms]));
      return "EPC and enclave slot: /dev/sgx_enclave and /dev/sgx/enclave; provision slot: /dev/sgx_provision alone; quote slot: socket read-only and SGX_AESM_ADDR=1; else nothing; all as user 65532 in a restricted namespace";
    },
  },
  {
    name: "our own containers: no token but node-status's, no capability, nothing writable but what they serve",
    deadline: 60_000,
    async run(scene) {
      await scene.installed();
      const containers = [
        [PLUGIN_NAME, PLUGIN_NAME, false],
        [PLUGIN_NAME, "node-status", true],
        [QUOTE_HELPER_NAME, QUOTE_HELPER_NAME, false],
      ] as const;
      const told = await Promise.all(
        containers.map(async ([set, container, token]) => {
          const pod = await scene.podOf(set, SGX_NODE);
          const argv = ["exec", "-n", NAMESPACE, pod.metadata.name, "-c", container, "--"];
          const { stdout } = await scene.cluster.kubectl([...argv, "/usr/bin/node", "-e", LOOK_AROUND]);
          const seen = JSON.parse(stdout) as Surroundings;
          expectEqual(seen.token, token, `${container}: has a service account token`);
          expectEqual(Number.parseInt(seen.capabilities, 16), 0, `${container}: effective capabilities`);
          expectEqual(seen.noNewPrivileges, "1", `${container}: NoNewPrivs`);
          expectEqual(seen.root, "EROFS", `${container}: writing to /`);
          const writable = seen.writable.join(" ");
          expectEqual(writable, WRITABLE[container] ?? "", `${container}: writable mounts of the host`);
          return `${container}: uid ${seen.uid}, ${token ? "token" : "no token"}, writes to ${writable || "nothing"}`;
        }),
      );
      return told.join("; ");
    },
  },
];

interface Surroundings {
  readonly uid: number;
  readonly token: boolean;
  readonly capabilities: string;
  readonly noNewPrivileges: string;
  readonly root: string;
  readonly writable: readonly string[];
}

const WRITABLE: Readonly<Record<string, string>> = {
  [PLUGIN_NAME]: "/var/lib/kubelet/device-plugins",
  "node-status": "",
  [QUOTE_HELPER_NAME]: "/var/lib/confcom /var/run/aesmd",
};

/**
 * Runs inside the container. Mounts of the container runtime's own are not the host's directories; neither are those
 * below the host's /dev, which only newer runtimes make read-only together with it.
 */
const LOOK_AROUND = `
const fs = require("node:fs");
const status = fs.readFileSync("/proc/self/status", "utf8");
const field = (name) => new RegExp("^" + name + ":\\\\s*(.*)$", "m").exec(status)[1];
const mounts = fs.readFileSync("/proc/self/mountinfo", "utf8").trim().split("\\n").map((line) => line.split(" "));
const own = /^\\/(proc|sys|dev|host\\/dev)(\\/|$)|^\\/etc\\/(hosts|hostname|resolv.conf)$|^\\/$|^\\/dev\\/termination-log$/;
let root = "ok";
try { fs.writeFileSync("/written", ""); } catch (error) { root = error.code; }
const writable = mounts.filter((m) => !own.test(m[4]) && m[5].split(",").includes("rw")).map((m) => m[4]).sort();
console.log(JSON.stringify({
  uid: process.getuid(),
  token: fs.existsSync("/var/run/secrets/kubernetes.io/serviceaccount/token"),
  capabilities: field("CapEff"),
  noNewPrivileges: field("NoNewPrivs"),
  root,
  writable,
}));
`;
