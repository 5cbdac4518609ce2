import { QUOTE_HELPER_NAME } from "@confcom/kubernetes";
import { type Check, expect, expectEqual } from "../../check.ts";
import { sampleJob } from "../samples.ts";
import type { ClusterScene } from "../scene.ts";
import { NAMESPACE, PLAIN_NODE, SECOND_SGX_NODE, SGX_NODE } from "../scene-names.ts";
import { type JobRun, runJob, runSuccessfulJob } from "../workload/job-run.ts";
import { podManifest } from "../workload/pod-manifest.ts";

const LIMIT = 60_000;
const STATE = "/var/lib/confcom";

interface Platform {
  readonly root: string;
  readonly collateral: string;
}

export const attestation: readonly Check<ClusterScene>[] = [
  {
    name: "remote attestation: the docs' Job and a quote slot in a restricted namespace; another pod verifies",
    deadline: 240_000,
    async run(scene) {
      await scene.secondNode();
      const { applications, open } = scene;
      const [hostPath, slot, platform, another] = await Promise.all([
        attest(scene, "remote-attestation/job.yaml", open),
        attest(scene, "remote-attestation/job-quote-slot.yaml", applications),
        platformOf(scene, SGX_NODE),
        platformOf(scene, SECOND_SGX_NODE),
      ]);
      for (const { log, node } of [hostPath, slot]) {
        expectEqual(node, SGX_NODE, "the attester's node");
        expect(log.startsWith("mode: out-of-process"), log.slice(0, 200));
      }
      const swapped = { root: another.root, collateral: platform.collateral };
      const [first, second, otherRoot, otherPlatform] = await Promise.all([
        verify(scene, hostPath.log, platform),
        verify(scene, slot.log, platform),
        verify(scene, slot.log, swapped),
        verify(scene, slot.log, another),
      ]);
      for (const [what, run] of [
        ["the docs' Job", first],
        ["the quote slot's", second],
      ] as const) {
        expect(run.succeeded, `${what} quote is not verified: ${run.log}`);
        expect(/^VERIFIED: OK/m.test(run.log) && /^ACCEPTED/m.test(run.log), `${what}: ${run.log}`);
        expectEqual(run.node, PLAIN_NODE, "the verifier's node");
      }
      for (const [what, run] of [
        ["another node's root", otherRoot],
        ["another node's root and collateral", otherPlatform],
      ] as const) {
        expectEqual(run.exitCode, 2, `exit code of the verifier with ${what}`);
        expect(/^NOT VERIFIED/m.test(run.log), `${what}: ${run.log}`);
      }
      return `both Jobs' quotes verified on the node without SGX against the exported root; with another root: "${otherRoot.log.trim().slice(0, 100)}"`;
    },
  },
  {
    name: "the docs' unquoted value: 1 is refused by the API server, hostPath by a restricted namespace",
    deadline: 60_000,
    async run(scene) {
      await scene.installed();
      const { applications: namespace } = scene;
      const job = (await sampleJob("remote-attestation/job.yaml", { name: "unquoted", namespace: scene.open })) as {
        spec: { template: { spec: { containers: { env: { value: unknown }[] }[] } } };
      };
      const [container] = job.spec.template.spec.containers;
      expectEqual(container?.env[0]?.value as string, "1", "the sample's SGX_AESM_ADDR is text");
      if (container?.env[0] !== undefined) container.env[0].value = 1;
      const unquoted = await scene.api.send("POST", `/apis/batch/v1/namespaces/${scene.open}/jobs`, { body: job });
      expectEqual(unquoted.status, 400, "answer to an unquoted value");
      const body = podManifest({
        name: "wants-host-path",
        namespace,
        image: scene.images.probe,
        volumes: [{ name: "aesmd", hostPath: { path: "/var/run/aesmd" } }],
        mounts: [{ name: "aesmd", mountPath: "/var/run/aesmd" }],
      });
      const refused = await scene.api.send("POST", `/api/v1/namespaces/${namespace}/pods`, { body });
      expectEqual(refused.status, 403, "answer to a hostPath volume");
      const { message } = JSON.parse(refused.body) as { message: string };
      expect(message.includes('violates PodSecurity "restricted') && message.includes("hostPath"), message);
      return `400 for value: 1; 403 for hostPath: ${message.slice(message.indexOf("violates"), message.indexOf("violates") + 100)}`;
    },
  },
];

async function attest(scene: ClusterScene, path: string, namespace: string): Promise<JobRun> {
  const job = await sampleJob(path, { name: scene.fresh("attests"), namespace, node: SGX_NODE });
  return runSuccessfulJob(scene, job, LIMIT);
}

/** What a relying party must know of a node's platform, taken the way the sample says. */
async function platformOf(scene: ClusterScene, node: string): Promise<Platform> {
  const pod = await scene.podOf(QUOTE_HELPER_NAME, node);
  const exported = async (...more: string[]) => {
    const argv = ["-n", NAMESPACE, "exec", pod.metadata.name, "--", "confcom", "collateral", "export"];
    return (await scene.cluster.kubectl([...argv, "--state", STATE, "--out", "-", ...more])).stdout;
  };
  const [collateral, root] = await Promise.all([exported(), exported("--root")]);
  return { collateral, root };
}

/** The sample's verifier, on the node without SGX. */
async function verify(scene: ClusterScene, quote: string, { root, collateral }: Platform): Promise<JobRun> {
  const namespace = scene.applications;
  const name = scene.fresh("verifies");
  const data = { quote, "root.pem": root, "collateral.json": collateral };
  await scene.api.create({ apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace }, data });
  const volumes = ["quote", "platform"].map((volume) => ({ name: volume, configMap: { name } }));
  const job = await sampleJob("remote-attestation/verify-job.yaml", { name, namespace, node: PLAIN_NODE, volumes });
  return runJob(scene, job, LIMIT);
}
