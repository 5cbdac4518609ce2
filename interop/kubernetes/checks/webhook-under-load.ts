import { type Check, expect, expectEqual } from "../../check.ts";
import { containerProcess } from "../observe/container-process.ts";
import type { Pod } from "../observe/kubernetes-objects.ts";
import { until } from "../observe/until.ts";
import type { ClusterScene } from "../scene.ts";
import { NAMESPACE } from "../scene-names.ts";
import type { AdmissionCounts } from "../workload/admission-load.ts";
import { LOAD_NAMESPACE, summary, underAdmissions } from "./webhook-admissions.ts";

const WEBHOOK = "sgx-webhook";
const STATUS_PORT = 9104;
const DEPLOYMENT = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments/${WEBHOOK}`;
const SECRET = `/api/v1/namespaces/${NAMESPACE}/secrets/sgx-webhook-authority`;
const CONFIGURATION = `/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/${WEBHOOK}`;
const REPLICAS = 2;

/** What the issue promises for rotations. */
const ADMISSIONS = 10_000;

interface Status {
  readonly ready: { readonly ok: boolean; readonly why: string };
  readonly authority: { readonly current: { readonly serialNumber: string } | null; readonly next: object | null };
  readonly serving: { readonly authoritySerialNumber: string } | null;
  readonly caBundle: { readonly inSync: boolean };
}

interface Deployment {
  readonly metadata: { readonly generation: number };
  readonly status: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
    readonly availableReplicas?: number;
  };
}

export const webhookUnderLoad: readonly Check<ClusterScene>[] = [
  {
    name: "webhook: the authority is rotated twice under 10,000 admissions, and every pod is changed",
    deadline: 600_000,
    async run(scene) {
      await prepare(scene);
      const seconds: string[] = [];
      const counts = await underAdmissions(scene, async (seen) => {
        for (let rotation = 0; rotation < 2; rotation++) seconds.push(`${(await rotate(scene)).toFixed(0)} s`);
        await until(`${ADMISSIONS} admissions`, 240_000, () => expect(seen().changed >= ADMISSIONS, summary(seen())));
      });
      everyPodChanged(scene, "rotation", counts);
      return `two rotations (${seconds.join(", ")}): ${summary(counts)}`;
    },
  },
  {
    name: "webhook: a rolling update of the Deployment under load, and every pod is changed",
    deadline: 300_000,
    async run(scene) {
      await prepare(scene);
      let ms = 0;
      const counts = await underAdmissions(scene, async () => {
        const annotations = { "checks.confcom.dev/generation": scene.fresh("webhook") };
        await scene.api.patch(DEPLOYMENT, { spec: { template: { metadata: { annotations } } } });
        ms = (await until("the Deployment is rolled out", 180_000, () => rolledOut(scene))).ms;
        await until("the old pods are gone", 60_000, async () => {
          expectEqual((await scene.api.pods(`app=${WEBHOOK}`, NAMESPACE)).length, REPLICAS, "pods of the webhook");
        });
      });
      everyPodChanged(scene, "rolling update", counts);
      return `rolled out in ${(ms / 1000).toFixed(1)} s: ${summary(counts)}`;
    },
  },
  {
    name: "webhook: a caBundle that somebody takes away is put right",
    deadline: 120_000,
    async run(scene) {
      await prepare(scene);
      const { webhooks } = await scene.api.get<{ webhooks: readonly object[] }>(CONFIGURATION);
      const patch = webhooks.map((_, index) => ({ op: "remove", path: `/webhooks/${index}/clientConfig/caBundle` }));
      await scene.api.patch(CONFIGURATION, patch, "application/json-patch+json");
      const { ms } = await until("both entries have a caBundle again", 60_000, async () => {
        const now = await scene.api.get<{ webhooks: readonly { clientConfig: { caBundle?: string } }[] }>(
          CONFIGURATION,
        );
        expect(
          now.webhooks.every(({ clientConfig }) => clientConfig.caBundle !== undefined),
          "an entry has none",
        );
      });
      return `after ${(ms / 1000).toFixed(1)} s`;
    },
  },
  {
    name: "webhook: one replica is killed under load; the pods created meanwhile are taken, and soon changed again",
    deadline: 300_000,
    async run(scene) {
      await prepare(scene);
      const counts = await underAdmissions(scene, async (seen) => {
        const [victim] = await pods(scene);
        if (victim === undefined) throw new Error("there is no pod of the webhook");
        process.kill(containerProcess(victim, WEBHOOK).pid, "SIGKILL");
        await until("it is back", 90_000, async () => {
          const { restartCount = 0, ready } = (await podNamed(scene, victim)).status.containerStatuses?.[0] ?? {};
          expect(restartCount > 0 && ready === true, "not restarted yet");
        });
        const before = seen();
        await until("1,000 more", 60_000, () => expect(seen().changed >= before.changed + 1000, summary(seen())));
        expectEqual(seen().unchanged, before.unchanged, "unchanged pods once the replica is back");
      });
      scene.figures["webhook: one replica killed"] = counts;
      expectEqual(counts.failed, 0, "failed admissions");
      const span = counts.gaps.length === 0 ? 0 : Math.max(...counts.gaps) - Math.min(...counts.gaps);
      expect(span < 30_000, `pods were left as they were for ${span} ms`);
      return `unchanged ones begun within ${span} ms: ${summary(counts)}`;
    },
  },
];

async function prepare(scene: ClusterScene): Promise<void> {
  await scene.withAddon();
  await scene.apply([{ apiVersion: "v1", kind: "Namespace", metadata: { name: LOAD_NAMESPACE } }]);
  await until("both replicas are ready and trusted", 90_000, async () => {
    const states = await statuses(scene);
    expectEqual(states.length, REPLICAS, "replicas");
    for (const { ready, caBundle } of states) expect(ready.ok && caBundle.inSync, ready.why);
  });
}

function everyPodChanged(scene: ClusterScene, what: string, counts: AdmissionCounts): void {
  scene.figures[`webhook: ${what} under load`] = counts;
  const { failed, unchanged, reasons, gaps } = counts;
  expect(failed + unchanged === 0, `${summary(counts)}; at ${gaps.slice(0, 10).join(", ")} ms; ${reasons.join("; ")}`);
}

/** Asks for a rotation and waits until every replica serves under the new authority. Answers seconds. */
async function rotate(scene: ClusterScene): Promise<number> {
  const [before] = await statuses(scene);
  const old = before?.serving?.authoritySerialNumber;
  const annotations = { "sgx.confcom.dev/rotate-authority": "now" };
  await scene.api.patch(SECRET, { metadata: { annotations } });
  const { ms } = await until("every replica serves under another authority", 180_000, async () => {
    for (const { serving, authority } of await statuses(scene)) {
      const serial = serving?.authoritySerialNumber;
      expect(serial !== old && serial === authority.current?.serialNumber, `under ${serial}, before ${old}`);
      expect(authority.next === null, "the next authority still waits");
    }
  });
  return ms / 1000;
}

async function pods(scene: ClusterScene): Promise<readonly Pod[]> {
  const all = await scene.api.pods(`app=${WEBHOOK}`, NAMESPACE);
  return all.filter(({ metadata, status }) => metadata.deletionTimestamp === undefined && status.phase === "Running");
}

function podNamed(scene: ClusterScene, { metadata }: Pod): Promise<Pod> {
  return scene.api.pod(NAMESPACE, metadata.name);
}

async function statuses(scene: ClusterScene): Promise<readonly Status[]> {
  const names = (await pods(scene)).map(({ metadata }) => metadata.name);
  return Promise.all(names.map((name) => scene.api.ofPod<Status>(NAMESPACE, name, STATUS_PORT, "/status")));
}

async function rolledOut(scene: ClusterScene): Promise<void> {
  const { metadata, status } = await scene.api.get<Deployment>(DEPLOYMENT);
  expectEqual(status.observedGeneration, metadata.generation, "generation that the controller has seen");
  expectEqual(status.updatedReplicas, REPLICAS, "updated replicas");
  expectEqual(status.availableReplicas, REPLICAS, "available replicas");
  expectEqual(status.replicas, REPLICAS, "replicas");
}
