import { AZURE_EPC_RESOURCE, ENCLAVE_RESOURCE, QUOTE_RESOURCE } from "@confcom/kubernetes";
import { type Check, expect } from "../../check.ts";
import type { ClusterScene } from "../scene.ts";
import { SGX_NODE } from "../scene-names.ts";
import { probe } from "../workload/probe.ts";
import { expectRights } from "./rights.ts";

export const provisionWithEpc: readonly Check<ClusterScene>[] = [
  {
    name: "--provision-with-epc: EPC and enclave slots give the provisioning device too, with a warning",
    deadline: 240_000,
    async run(scene) {
      await scene.installedWith({ provisionWithEpc: true });
      const kinds = [
        ["with-epc", { [AZURE_EPC_RESOURCE]: 10 }, { enclave: true, provision: true, quotes: false }],
        ["with-enclave-slot", { [ENCLAVE_RESOURCE]: 1 }, { enclave: true, provision: true, quotes: false }],
        ["with-quote-slot", { [QUOTE_RESOURCE]: 1 }, { enclave: false, provision: false, quotes: true }],
      ] as const;
      for (const [stem, limits, rights] of kinds) {
        const { pod, seen } = await probe(scene, stem, { node: SGX_NODE, limits });
        expectRights(stem, seen, rights);
        await scene.api.deletePod(scene.applications, pod, 0);
      }
      const { publishing, problems, events } = await scene.pluginStatus(SGX_NODE);
      const told = [...problems, ...events.filter(({ type }) => type === "Warning")];
      const warnings = [...(publishing?.warnings ?? []), ...told.map(({ message }) => message)];
      const warning = warnings.find((text) => /provision/i.test(text));
      expect(warning !== undefined, `no warning in /status: ${warnings.join("; ")}`);
      return `EPC alone: enclave and provision device, both spellings; quote slot unchanged; /status warns "${warning.slice(0, 120)}"`;
    },
  },
];
