import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { QUOTE_HELPER_NAME, QUOTE_HELPER_PORT } from "@confcom/kubernetes";
import { PCCS_NAME, PCCS_TRUST_PORT } from "@confcom/kubernetes/pccs-trust";
import { nodeFileSystem, StateDirectory } from "@confcom/quoting";
import { createSoftwareEnclave, openSoftwarePlatform } from "@confcom/quoting/software";
import { ECDSA_P256_KEY_ID } from "@confcom/sgx";
import { type Check, expect, expectEqual } from "../../check.ts";
import { isReady } from "../observe/daemon-pods.ts";
import type { Pod } from "../observe/kubernetes-objects.ts";
import { until } from "../observe/until.ts";
import { sampleJob } from "../samples.ts";
import type { ClusterScene } from "../scene.ts";
import { NAMESPACE, PLAIN_NODE, SECOND_SGX_NODE, SGX_NODE } from "../scene-names.ts";
import { runSuccessfulJob } from "../workload/job-run.ts";

const LIMIT = 60_000;
const CONFIG_MAP = `/api/v1/namespaces/${NAMESPACE}/configmaps/sgx-quote-root`;
const SECRET = `/api/v1/namespaces/${NAMESPACE}/secrets/sgx-pccs-user-token`;
const DEPLOYMENT = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments/${PCCS_NAME}`;
const HELPERS = `/apis/apps/v1/namespaces/${NAMESPACE}/daemonsets/${QUOTE_HELPER_NAME}`;
/** No node has it: a DaemonSet that selects it has no pods. */
const NOWHERE = { "checks.confcom.dev/nowhere": "true" };

interface Trust {
  readonly "root-ca.pem": string;
  readonly "pccs-ca.pem": string;
}

interface HelperStatus {
  readonly platform: { readonly root: string | null; readonly attestationKey: string | null };
  readonly provisioning: { readonly state: string };
}

export const oneRoot: readonly Check<ClusterScene>[] = [
  {
    name: "one root: quotes of two nodes are verified in a third pod with it; a foreign software platform's is refused",
    deadline: 300_000,
    async run(scene) {
      await scene.withAddon();
      const [trust, foreign] = [await publishedTrust(scene), await foreignQuote()];
      const [first, second, statuses] = await Promise.all([
        quoteOf(scene, SGX_NODE),
        quoteOf(scene, SECOND_SGX_NODE),
        helperStatuses(scene),
      ]);
      const roots = new Set(statuses.map(({ platform }) => platform.root));
      expectEqual(roots.size, 1, "roots that the helpers name");
      expectEqual(new Set(statuses.map(({ platform }) => platform.attestationKey)).size, 2, "attestation keys");
      const [genuine, refused] = await Promise.all([
        verifyTwo(scene, { first, second }, trust),
        verifyTwo(scene, { first: foreign, second }, trust),
      ]);
      for (const name of ["first", "second"] as const) {
        expectEqual(genuine[name].exitCode, 0, `exit code for the ${name} quote: ${genuine[name].log}`);
        expect(/^VERIFIED OK/m.test(genuine[name].log), genuine[name].log);
      }
      expectEqual(refused.first.exitCode, 2, `exit code for the foreign quote: ${refused.first.log}`);
      expectEqual(refused.second.exitCode, undefined, "exit code of what comes after a foreign quote");
      return `${[...roots][0]?.slice(0, 31)}...; the foreign quote: "${refused.first.log.trim().split("\n")[0]?.slice(0, 140)}"`;
    },
  },
  {
    name: "one root: what somebody edits or deletes of ConfigMap and Secret is right again by itself",
    deadline: 180_000,
    async run(scene) {
      await scene.withAddon();
      const [trust, token] = [await publishedTrust(scene), await dataOf(scene, SECRET)];
      await scene.api.patch(CONFIG_MAP, { data: { "root-ca.pem": "-----BEGIN NOTHING-----" } });
      const edited = await until("the edited ConfigMap is right again", LIMIT, async () =>
        expectSame(await publishedTrust(scene), trust),
      );
      await Promise.all([CONFIG_MAP, SECRET].map((path) => scene.api.delete(path)));
      const deleted = await until("the deleted ConfigMap and Secret are there again", LIMIT, async () => {
        expectSame(await publishedTrust(scene), trust);
        expectSame(await dataOf(scene, SECRET), token);
      });
      return `edited: ${(edited.ms / 1000).toFixed(1)} s, deleted: ${(deleted.ms / 1000).toFixed(1)} s`;
    },
  },
  {
    name: "one root: with the PCCS gone helpers quote on, and a helper that restarts meanwhile too; back, the root is the same",
    deadline: 400_000,
    async run(scene) {
      await scene.withAddon();
      const trust = await publishedTrust(scene);
      const before = await helperStatuses(scene);
      await scalePccs(scene, 0);
      const helper = await scene.podOf(QUOTE_HELPER_NAME, SGX_NODE);
      await scene.api.deletePod(NAMESPACE, helper.metadata.name);
      const again = await until("the helper's next pod is ready without a PCCS", LIMIT, async () => {
        const pod = await scene.podOf(QUOTE_HELPER_NAME, SGX_NODE);
        expect(pod.metadata.uid !== helper.metadata.uid && isReady(pod), `${pod.metadata.name} is not`);
      });
      const [first, second] = await Promise.all([quoteOf(scene, SGX_NODE), quoteOf(scene, SECOND_SGX_NODE)]);
      const back = await scalePccs(scene, 1);
      expectSame(await publishedTrust(scene), trust);
      expectSame(await helperStatuses(scene), before);
      const run = await verifyTwo(scene, { first, second }, trust);
      expect(run.first.exitCode === 0 && run.second.exitCode === 0, `${run.first.log}${run.second.log}`);
      return `helper ready ${(again.ms / 1000).toFixed(1)} s after its pod was deleted; PCCS back in ${(back / 1000).toFixed(1)} s, its root as before`;
    },
  },
  {
    name: "one root: a PCCS that restarts while there are no helpers has the same root, and helpers come back to it",
    deadline: 300_000,
    async run(scene) {
      await scene.withAddon();
      const trust = await publishedTrust(scene);
      const before = await helperStatuses(scene);
      await scene.api.patch(HELPERS, { spec: { template: { spec: { nodeSelector: NOWHERE } } } });
      await until("there are no helpers", LIMIT, async () => {
        const pods = await scene.api.pods(`app=${QUOTE_HELPER_NAME}`, NAMESPACE);
        expectEqual(pods.length, 0, "pods of the helper");
      });
      const [pccs] = await scene.api.pods(`app=${PCCS_NAME}`, NAMESPACE);
      expect(pccs !== undefined, "there is no PCCS");
      await scene.api.deletePod(NAMESPACE, pccs.metadata.name);
      const back = await pccsReady(scene, pccs);
      const selector = Object.fromEntries(Object.keys(NOWHERE).map((label) => [label, null]));
      await scene.api.patch(HELPERS, { spec: { template: { spec: { nodeSelector: selector } } } });
      await scene.rolledOut(QUOTE_HELPER_NAME, LIMIT);
      await Promise.all([SGX_NODE, SECOND_SGX_NODE].map((node) => scene.ready(QUOTE_HELPER_NAME, node, LIMIT)));
      expectSame(await publishedTrust(scene), trust);
      expectSame(await helperStatuses(scene), before);
      return `PCCS ready ${(back / 1000).toFixed(1)} s after its pod was deleted; keys and root of both helpers as before`;
    },
  },
];

async function dataOf(scene: ClusterScene, path: string): Promise<Readonly<Record<string, string>>> {
  return (await scene.api.get<{ data?: Record<string, string> }>(path)).data ?? {};
}

async function publishedTrust(scene: ClusterScene): Promise<Trust> {
  const { "root-ca.pem": root, "pccs-ca.pem": ca } = await dataOf(scene, CONFIG_MAP);
  expect(root !== undefined && ca !== undefined, "sgx-quote-root is not filled in");
  return { "root-ca.pem": root, "pccs-ca.pem": ca };
}

function expectSame(actual: unknown, expected: unknown): void {
  const [one, other] = [JSON.stringify(actual), JSON.stringify(expected)];
  expect(one === other, `expected ${other.slice(0, 300)}, got ${one.slice(0, 300)}`);
}

/** Of both nodes, in their order, once each is registered. */
function helperStatuses(scene: ClusterScene) {
  return Promise.all(
    [SGX_NODE, SECOND_SGX_NODE].map(async (node) => {
      const { value } = await until(`the helper of ${node} is registered`, LIMIT, async () => {
        const { metadata } = await scene.podOf(QUOTE_HELPER_NAME, node);
        const { platform, provisioning } = await scene.api.ofPod<HelperStatus>(
          NAMESPACE,
          metadata.name,
          QUOTE_HELPER_PORT,
          "/status",
        );
        expectEqual(provisioning.state, "registered", "its state");
        return { platform };
      });
      return value;
    }),
  );
}

/** Base64: of an application on a node, with a quote slot. */
async function quoteOf(scene: ClusterScene, node: string): Promise<string> {
  const name = scene.fresh("attests");
  const job = await sampleJob("remote-attestation/job-quote-slot.yaml", { name, namespace: scene.applications, node });
  const { log } = await runSuccessfulJob(scene, job, LIMIT);
  const quote = /^quote: (\S+)$/m.exec(log)?.[1];
  expect(quote !== undefined, log.slice(0, 300));
  return quote;
}

/** Of a software platform with its own root: everything but that is as in the cluster. */
async function foreignQuote(): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), "confcom-foreign-"));
  try {
    const state = StateDirectory.open(directory, nodeFileSystem);
    const random = (size: number) => crypto.getRandomValues(new Uint8Array(size));
    const platform = await openSoftwarePlatform({ state, now: () => new Date(), random });
    const { targetInfo } = await platform.initQuote(ECDSA_P256_KEY_ID);
    const enclave = createSoftwareEnclave({ identity: { mrEnclave: new Uint8Array(32).fill(0xa) } });
    const { quote } = await platform.getQuote(ECDSA_P256_KEY_ID, enclave.report(targetInfo, new Uint8Array(64)));
    await platform.close();
    return Buffer.from(quote).toString("base64");
  } finally {
    rmSync(directory, { recursive: true });
  }
}

interface Verification {
  /** Undefined: it did not run. */
  readonly exitCode: number | undefined;
  readonly log: string;
}

/** The sample, on the node without SGX, in a namespace that was handed the root. */
async function verifyTwo(
  scene: ClusterScene,
  quotes: { readonly first: string; readonly second: string },
  trust: Trust,
): Promise<{ readonly first: Verification; readonly second: Verification }> {
  const namespace = scene.applications;
  const name = scene.fresh("verifies");
  for (const [suffix, data] of [
    ["quotes", quotes],
    ["root", trust],
  ] as const) {
    const metadata = { name: `${name}-${suffix}`, namespace };
    await scene.api.create({ apiVersion: "v1", kind: "ConfigMap", metadata, data });
  }
  const volumes = ["quotes", "root"].map((volume) => ({ name: volume, configMap: { name: `${name}-${volume}` } }));
  const job = await sampleJob("one-root/verify-two-quotes.yaml", { name, namespace, node: PLAIN_NODE, volumes });
  await scene.api.create(job);
  const { value: pod } = await until(`Job ${name} ends`, LIMIT, async () => {
    const [found] = await scene.api.pods(`job-name=${name}`, namespace);
    expect(found !== undefined && /^(Succeeded|Failed)$/.test(found.status.phase), "its pod has not ended");
    return found;
  });
  const { initContainerStatuses = [], containerStatuses = [] } = pod.status;
  const of = async (container: string): Promise<Verification> => {
    const status = [...initContainerStatuses, ...containerStatuses].find((each) => each.name === container);
    const exitCode = status?.state?.terminated?.exitCode;
    if (exitCode === undefined) return { exitCode, log: "" };
    return { exitCode, log: await scene.api.log(namespace, pod.metadata.name, container) };
  };
  return { first: await of("first"), second: await of("second") };
}

/** Milliseconds until there are none, or the one is ready with all containers. */
async function scalePccs(scene: ClusterScene, replicas: 0 | 1): Promise<number> {
  await scene.api.patch(DEPLOYMENT, { spec: { replicas } });
  if (replicas === 1) return pccsReady(scene);
  const { ms } = await until("the PCCS is gone", LIMIT, async () => {
    expectEqual((await scene.api.pods(`app=${PCCS_NAME}`, NAMESPACE)).length, 0, "pods of the PCCS");
  });
  return ms;
}

/** Ready, and with everything published: another pod than `before`. */
async function pccsReady(scene: ClusterScene, before?: Pod): Promise<number> {
  const { ms } = await until("the PCCS is ready", LIMIT, async () => {
    const pods = await scene.api.pods(`app=${PCCS_NAME}`, NAMESPACE);
    const pod = pods.find(({ metadata }) => metadata.uid !== before?.metadata.uid);
    expect(pod !== undefined && isReady(pod), "it is not");
    const { problems } = await scene.api.ofPod<{ problems: readonly unknown[] }>(
      NAMESPACE,
      pod.metadata.name,
      PCCS_TRUST_PORT,
      "/status",
    );
    expectEqual(problems.length, 0, `problems: ${JSON.stringify(problems)}`);
  });
  return ms;
}
