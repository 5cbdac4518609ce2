import { PROVISION_LABEL, PROVISION_RESOURCE } from "@confcom/kubernetes";
import { type Check, expect, expectEqual } from "../../check.ts";
import type { Pod } from "../observe/kubernetes-objects.ts";
import { until } from "../observe/until.ts";
import type { ClusterScene } from "../scene.ts";
import { NAMESPACE } from "../scene-names.ts";
import { container, type PodParts, podOf } from "./pod-parts.ts";
import { type Place, REFUSED, TAKEN } from "./policy-cases.ts";

const WEBHOOK = "sgx-webhook";
const DEPLOYMENT = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments/${WEBHOOK}`;
const REPLICAS = 2;

/** `closed` and `allowed` are restricted, as a cluster's applications should be. */
const NAMESPACES: Readonly<Record<Place, string>> = {
  closed: "policies-closed",
  allowed: "policies-allowed",
  exempt: NAMESPACE,
};

export const policies: readonly Check<ClusterScene>[] = [
  {
    name: "webhook up: what cannot work or is not allowed is refused with the way out, what can is taken",
    deadline: 300_000,
    async run(scene) {
      await prepare(scene);
      await webhookAnswers(scene);
      const answers: string[] = [];
      let first = 0;
      for (const { what, place, pod, policy, says, webhookSays } of REFUSED) {
        const message = await refusal(scene, place, pod, what);
        if (webhookSays === undefined) expectPolicy(message, policy, says, what);
        else {
          expect(webhookSays.test(message) && message.includes(WEBHOOK), `${what}: the webhook said: ${message}`);
          first++;
        }
        answers.push(`${what}: ${message}`);
      }
      await takesTheRest(scene);
      scene.figures["refused with the webhook up"] = answers;
      return `${first} refused by the webhook, ${REFUSED.length - first} by a policy, ${TAKEN.length} taken`;
    },
  },
  {
    name: "webhook scaled to 0: the policies refuse the same with their own words, and a Job shows it in its events",
    deadline: 300_000,
    async run(scene) {
      await prepare(scene);
      const answers: string[] = [];
      await withoutWebhook(scene, async () => {
        for (const { what, place, pod, policy, says } of REFUSED) {
          const message = await refusal(scene, place, pod, what);
          expectPolicy(message, policy, says, what);
          answers.push(`${what}: ${message}`);
        }
        await takesTheRest(scene);
        answers.push(`event of a Job: ${await jobEvent(scene)}`);
      });
      scene.figures["refused with the webhook scaled to 0"] = answers;
      return `${REFUSED.length} refused in the words expected, ${TAKEN.length} taken; a Job's event says it too`;
    },
  },
  {
    name: "policies.provision Warn: the provisioning key is given with a warning, mistakes are still refused",
    deadline: 300_000,
    async run(scene) {
      await prepare(scene, { policies: { enabled: true, provision: "Warn" } });
      const own = REFUSED.find(({ policy }) => policy === "provision");
      const mistake = REFUSED.find(({ policy }) => policy === "epc-amount");
      if (own === undefined || mistake === undefined) throw new Error("there is no such case");
      const body = JSON.stringify(podOf(NAMESPACES[own.place], scene.images.probe, own.pod));
      const create = ["create", "--dry-run=server", "-f", "-"];
      const { value } = await until("the pod is taken", 30_000, () => scene.cluster.kubectl(create, { input: body }));
      expect(value.stderr.includes(own.says), `kubectl said: ${value.stderr}`);
      await refusal(scene, mistake.place, mistake.pod, mistake.what);
      return value.stderr.trim().slice(0, 160);
    },
  },
];

async function prepare(scene: ClusterScene, values: Parameters<ClusterScene["withAddon"]>[0] = {}): Promise<void> {
  await scene.withAddon(values);
  const namespace = (name: string, labels: object) => ({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name, labels: { "pod-security.kubernetes.io/enforce": "restricted", ...labels } },
  });
  await scene.apply([
    namespace(NAMESPACES.closed, {}),
    namespace(NAMESPACES.allowed, { [PROVISION_LABEL]: "allowed" }),
  ]);
  await until("the API server knows the label", 10_000, () => taken(scene, "allowed", PROVISIONING, "the key"));
}

const PROVISIONING: PodParts = { containers: [container("app", { [PROVISION_RESOURCE]: "1" })] };

/** Created as far as that goes without a pod. */
async function attempt(scene: ClusterScene, place: Place, parts: PodParts): Promise<{ status: number; body: string }> {
  const path = `/api/v1/namespaces/${NAMESPACES[place]}/pods?dryRun=All`;
  return scene.api.send("POST", path, { body: podOf(NAMESPACES[place], scene.images.probe, parts) });
}

async function refusal(scene: ClusterScene, place: Place, parts: PodParts, what: string): Promise<string> {
  const { status, body } = await attempt(scene, place, parts);
  expect([400, 403, 422].includes(status), `${what}: expected a refusal, got ${status}: ${body.slice(0, 300)}`);
  return (JSON.parse(body) as { message: string }).message;
}

async function taken(scene: ClusterScene, place: Place, parts: PodParts, what: string): Promise<Pod> {
  const { status, body } = await attempt(scene, place, parts);
  expect(status === 201, `${what}: expected 201, got ${status}: ${body.slice(0, 400)}`);
  return JSON.parse(body) as Pod;
}

async function takesTheRest(scene: ClusterScene): Promise<void> {
  for (const { what, place, pod } of TAKEN) await taken(scene, place, pod, what);
}

function expectPolicy(message: string, policy: string, says: string, what: string): void {
  const name = `sgx-policies-${policy}`;
  const end = `ValidatingAdmissionPolicy '${name}' with binding '${name}' denied request: ${says}`;
  expect(message.endsWith(end), `${what}: expected ...${end}\ngot ${message}`);
}

async function webhookAnswers(scene: ClusterScene): Promise<void> {
  const optedIn = TAKEN.find(({ what }) => what === "EPC and opt-in");
  if (optedIn === undefined) throw new Error("there is no such case");
  await until("the webhook adds a quote slot", 60_000, async () => {
    const pod = JSON.stringify(await taken(scene, optedIn.place, optedIn.pod, optedIn.what));
    expect(pod.includes("sgx.confcom.dev/quote"), "it did not");
  });
}

/** Scaled to 0, and back however `use` ends. */
async function withoutWebhook(scene: ClusterScene, use: () => Promise<void>): Promise<void> {
  const scale = (replicas: number) =>
    scene.api.ask("PATCH", `${DEPLOYMENT}/scale`, {
      body: { spec: { replicas } },
      contentType: "application/merge-patch+json",
    });
  await scale(0);
  try {
    await until("the webhook's pods are gone", 60_000, async () => {
      expectEqual((await scene.api.pods(`app=${WEBHOOK}`, NAMESPACE)).length, 0, "pods of the webhook");
    });
    await use();
  } finally {
    await scale(REPLICAS);
    await until("the webhook's pods are back", 90_000, async () => {
      const { status } = await scene.api.get<{ status: { readyReplicas?: number } }>(DEPLOYMENT);
      expectEqual(status.readyReplicas, REPLICAS, "ready replicas");
    });
  }
}

/** What a person finds who wonders why a Job has no pod. */
async function jobEvent(scene: ClusterScene): Promise<string> {
  const name = scene.fresh("refused");
  const { spec } = podOf(NAMESPACES.closed, scene.images.probe, PROVISIONING);
  const path = `/apis/batch/v1/namespaces/${NAMESPACES.closed}/jobs`;
  await scene.api.ask("POST", path, {
    body: { apiVersion: "batch/v1", kind: "Job", metadata: { name }, spec: { backoffLimit: 0, template: { spec } } },
  });
  const { value } = await until("the Job's event names the policy", 30_000, async () => {
    const events = await scene.api.events(`involvedObject.name=${name}`);
    const event = events.find(
      ({ reason, message }) => reason === "FailedCreate" && /sgx-policies-provision/.test(message ?? ""),
    );
    if (event === undefined) throw new Error(`events: ${events.map(({ reason }) => reason).join()}`);
    return event.message ?? "";
  });
  await scene.api.delete(`${path}/${name}?propagationPolicy=Background`);
  return value;
}
