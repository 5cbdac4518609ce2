import {
  AZURE_EPC_RESOURCE,
  ENCLAVE_RESOURCE,
  PLUGIN_NAME,
  PROVISION_RESOURCE,
  QUOTE_HELPER_NAME,
  QUOTE_RESOURCE,
} from "@confcom/kubernetes";
import { type Check, expect, expectEqual } from "../../check.ts";
import { until } from "../observe/until.ts";
import { sample, sampleJob } from "../samples.ts";
import type { ClusterScene } from "../scene.ts";
import { EPC_MIB, NAMESPACE, PLAIN_NODE, SGX_NODE } from "../scene-names.ts";
import { jobEnd, runSuccessfulJob } from "../workload/job-run.ts";

export const firstQuote: readonly Check<ClusterScene>[] = [
  {
    name: "a cluster of one node with SGX and one without comes up, images are loaded",
    deadline: 600_000,
    async run(scene) {
      const cluster = await scene.up();
      const version = await scene.api.get<{ gitVersion: string }>("/version");
      expect(/^v1\.34\./.test(version.gitVersion), `Kubernetes ${version.gitVersion}`);
      const versions = await scene.programVersions();
      expect(/\b3\.6\./.test(versions.etcd ?? ""), `etcd ${versions.etcd}`);
      expect(versions.helm !== undefined, "helm is not among the programs");
      const nodes = await scene.api.nodes();
      expectEqual(
        nodes
          .map(({ metadata }) => metadata.name)
          .sort()
          .join(),
        `${PLAIN_NODE},${SGX_NODE}`,
        "nodes",
      );
      for (const { metadata, status } of nodes) {
        expect(!(AZURE_EPC_RESOURCE in status.capacity), `${metadata.name} has EPC before anything was installed`);
      }
      const steps = scene.figures["cluster up"] as { step: string; ms: number }[];
      return `Kubernetes ${version.gitVersion}, etcd ${versions.etcd}: ${listed(steps)}; ${cluster.nodes().length} nodes`;
    },
  },
  {
    name: "empty cluster, manifests applied, first quote in a pod",
    deadline: 300_000,
    async run(scene) {
      const { steps, helperWithoutLabel, pendingBecause } = await scene.installed();
      const job = await sampleJob("remote-attestation/job-quote-slot.yaml", {
        name: scene.fresh("first-quote"),
        namespace: scene.applications,
      });
      const { log, ms, node } = await runSuccessfulJob(scene, job, 60_000);
      expect(/^quote: [A-Za-z0-9+/=]{1000,}$/m.test(log), `no quote in the log: ${log.slice(0, 300)}`);
      expectEqual(node, SGX_NODE, "the node that ran it");
      const all = [...steps, { step: "Job applied: quote printed", ms }];
      scene.figures["first quote"] = all;
      expectEqual(helperWithoutLabel, 0, "helper pods wanted while no node was labelled");
      for (const name of [AZURE_EPC_RESOURCE, PROVISION_RESOURCE]) {
        expect(pendingBecause.includes(`Insufficient ${name}`), `Pending for another reason: ${pendingBecause}`);
      }
      const total = all.reduce((sum, step) => sum + step.ms, 0);
      return `${(total / 1000).toFixed(1)} s: ${listed(all)}; Pending said "${pendingBecause.slice(0, 140)}"`;
    },
  },
  {
    name: "the quickstart: plugin and helper in kubectl's table, the node's allocatable, the Job's two lines",
    deadline: 120_000,
    async run(scene) {
      await scene.installed();
      const { stdout: table } = await scene.cluster.kubectl(["get", "pods", "-A", "-o", "wide"]);
      for (const [name, ready, node] of [
        [PLUGIN_NAME, "2/2", SGX_NODE],
        [PLUGIN_NAME, "2/2", PLAIN_NODE],
        [QUOTE_HELPER_NAME, "1/1", SGX_NODE],
      ] as const) {
        const line = table.split("\n").find((line) => line.includes(` ${name}-`) && line.includes(` ${node} `));
        expect(
          new RegExp(`^${NAMESPACE}\\s+${name}-\\S+\\s+${ready}\\s+Running\\s`).test(line ?? ""),
          `${name} on ${node}: ${line ?? "no line"}`,
        );
      }
      const { status } = await scene.api.node(SGX_NODE);
      expectEqual(status.allocatable[AZURE_EPC_RESOURCE], String(EPC_MIB), `allocatable ${AZURE_EPC_RESOURCE}`);
      for (const name of [ENCLAVE_RESOURCE, PROVISION_RESOURCE, QUOTE_RESOURCE]) {
        expectEqual(status.allocatable[name], "110", `allocatable ${name}`);
      }
      const ran = await quickstart(scene, "quickstart/job-mib.yaml");
      return `${ran}; allocatable ${AZURE_EPC_RESOURCE}: ${EPC_MIB}, three slot resources: 110`;
    },
  },
];

/** Applies the quickstart's Job as its reader would, and looks at what its README shows. Gives kubectl's line about it. */
export async function quickstart(scene: ClusterScene, path: string): Promise<string> {
  await scene.apply(await sample(path));
  const { log, succeeded } = await jobEnd(scene, "default", "sgx-test", 60_000);
  expect(succeeded, `the Job failed: ${log}`);
  expectEqual(log, "Hello world from the enclave\nEnclave called into host to print: Hello World!\n", "log");
  const { value: line } = await until("kubectl shows the Job complete", 10_000, async () => {
    const { stdout } = await scene.cluster.kubectl(["get", "jobs", "-l", "app=sgx-test", "--no-headers"]);
    expect(/^sgx-test\s+Complete\s+1\/1\s/.test(stdout), stdout.trim());
    return stdout.trim().replaceAll(/\s+/g, " ");
  });
  const { stdout: pods } = await scene.cluster.kubectl(["get", "pods", "-l", "app=sgx-test", "--no-headers"]);
  expect(/^sgx-test-\S+\s+0\/1\s+Completed\s/.test(pods), pods.trim());
  await scene.cluster.kubectl(["delete", "job", "sgx-test", "--wait=true"]);
  return line;
}

function listed(steps: readonly { readonly step: string; readonly ms: number }[]): string {
  return steps.map(({ step, ms }) => `${step} ${(ms / 1000).toFixed(1)} s`).join(", ");
}
