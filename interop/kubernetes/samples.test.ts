import assert from "node:assert/strict";
import { test } from "node:test";
import { sampleJob } from "./samples.ts";

test("a sample's Job keeps everything but its name, its place and its node", async () => {
  const job = await sampleJob("quickstart/job-mib.yaml", { name: "other", namespace: "somewhere", node: "sgx-1" });
  const { metadata, spec } = job as {
    metadata: { name: string; namespace: string; labels: { app: string } };
    spec: {
      backoffLimit: number;
      template: { spec: { nodeSelector: object; containers: { resources: { limits: object } }[] } };
    };
  };
  assert.deepEqual(metadata, { name: "other", namespace: "somewhere", labels: { app: "sgx-test" } });
  assert.deepEqual(spec.template.spec.nodeSelector, { "kubernetes.io/hostname": "sgx-1" });
  assert.equal(spec.backoffLimit, 0);
  const [container] = spec.template.spec.containers;
  assert.deepEqual(container?.resources.limits, { "kubernetes.azure.com/sgx_epc_mem_in_MiB": 10 });
});
