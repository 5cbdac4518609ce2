import { AZURE_EPC_RESOURCE, DRIVER_LABEL, type ManifestValues, PROVISION_RESOURCE } from "@confcom/kubernetes";
import { type Check, expect, expectEqual } from "../../check.ts";
import { until } from "../observe/until.ts";
import type { ClusterScene } from "../scene.ts";
import { NAMESPACE, PLAIN_NODE, SECOND_SGX_NODE } from "../scene-names.ts";
import { lonePlugin } from "../workload/lone-plugin.ts";
import { probe } from "../workload/probe.ts";
import { expectRights } from "./rights.ts";

const MIB = 1024 * 1024;
const MISC_CAPACITY = "/var/lib/sgx-fixture/misc.capacity";
const CONFIGURED = 300;
const COUNTED = 200;

/** With each set of values, the source that must be believed and the MiB that it says. */
const SOURCES: readonly [values: Partial<ManifestValues>, source: string, totalMiB: number][] = [
  [{ miscCapacityFile: MISC_CAPACITY, sysfsNodeDirectory: null, epcMiB: CONFIGURED }, "misc.capacity", COUNTED],
  [{ sysfsNodeDirectory: null, epcMiB: CONFIGURED }, "configuration", CONFIGURED],
  // The machine under the cluster has no SGX: its CPUID says so, and the configuration is the last resort.
  [{ sysfsNodeDirectory: null, cpuidInit: true, epcMiB: CONFIGURED }, "configuration", CONFIGURED],
];

export const discovery: readonly Check<ClusterScene>[] = [
  {
    name: "EPC discovery: misc.capacity by one file mount, CPUID by the init container, configuration; each says why not",
    deadline: 120_000,
    async run(scene) {
      await scene.installed();
      const text = `res_a 10\\nsgx_epc ${COUNTED * MIB}\\n`;
      await scene
        .node(PLAIN_NODE)
        .exec(["sh", "-c", `mkdir -p $(dirname ${MISC_CAPACITY}); printf '${text}' > ${MISC_CAPACITY}`]);
      // The node without SGX devices: what is found there is told, and nothing is published.
      const names = SOURCES.map(() => scene.fresh("discovers"));
      try {
        const told = await Promise.all(
          SOURCES.map(async ([values, source, totalMiB], index) => {
            const name = names[index] as string;
            await scene.api.create(lonePlugin(scene, name, PLAIN_NODE, values));
            const { value: epc } = await until(`plugin ${name} has looked at the node`, 40_000, async () => {
              const { state, sgx } = await scene.statusOfPod(name);
              expect(state !== "starting", "it is starting");
              return sgx.epc;
            });
            expectEqual(epc.source, source, `source with ${JSON.stringify(values)}`);
            expectEqual(epc.totalMiB, totalMiB, `MiB by ${source}`);
            const unusable = epc.tried.filter(({ usable }) => !usable);
            for (const { source, why } of unusable) expect(why.length > 10, `${source} does not say why`);
            return `${source} ${totalMiB} (${unusable.map(({ source, why }) => `${source}: ${why.slice(0, 60)}`).join("; ")})`;
          }),
        );
        return told.join(" | ");
      } finally {
        await Promise.all(names.map((name) => scene.api.deletePod(NAMESPACE, name, 0)));
      }
    },
  },
  {
    name: "the DCAP driver's device names, with a link: found, labelled, offered under both spellings",
    deadline: 120_000,
    async run(scene) {
      const node = await scene.secondNode();
      try {
        const make = "mkdir -p /dev/sgx; mknod -m 666 /dev/sgx/enclave c 1 3; mknod -m 666 /dev/sgx/provision c 1 5";
        const replace = "rm /dev/sgx_enclave /dev/sgx_provision; ln -s sgx/enclave /dev/sgx_enclave";
        await node.exec(["sh", "-ec", `${make}; ${replace}`]);
        await until("the DCAP driver's devices are found", 30_000, async () => {
          const { devices } = (await scene.pluginStatus(SECOND_SGX_NODE)).sgx;
          expectEqual(devices.generation, "dcap", "generation");
          expectEqual(devices.enclave, "/dev/sgx/enclave", "the link's end");
          const { metadata } = await scene.api.node(SECOND_SGX_NODE);
          expectEqual(metadata.labels?.[DRIVER_LABEL], "dcap", DRIVER_LABEL);
        });
        const limits = { [AZURE_EPC_RESOURCE]: 8, [PROVISION_RESOURCE]: 1 };
        const { seen, pod } = await probe(scene, "on-dcap", { node: SECOND_SGX_NODE, limits });
        expectRights("EPC and provision slot", seen, { enclave: true, provision: true, quotes: false });
        await scene.api.deletePod(scene.applications, pod, 0);
        return "driver dcap, /dev/sgx_enclave -> sgx/enclave resolved; in the container /dev/sgx_enclave, /dev/sgx/enclave, /dev/sgx_provision, /dev/sgx/provision open";
      } finally {
        await node.exec(["sh", "-c", "rm -rf /dev/sgx; [ ! -L /dev/sgx_enclave ] || rm /dev/sgx_enclave"]);
        node.fixture.addDevice("sgx_enclave");
        node.fixture.addDevice("sgx_provision");
        await until("the in-tree driver's devices are found again", 30_000, async () => {
          expectEqual((await scene.pluginStatus(SECOND_SGX_NODE)).sgx.devices.generation, "in-tree", "generation");
        });
      }
    },
  },
];
