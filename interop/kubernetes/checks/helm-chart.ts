import { isDeepStrictEqual } from "node:util";
import {
  type KubernetesObject,
  manifestValues,
  OWN_LABELS,
  PART_OF_LABEL,
  QUOTE_HELPER_NAME,
  renderManifests,
} from "@confcom/kubernetes";
import { parseAllDocuments } from "yaml";
import { packageVersion } from "../../../deploy/image/confcom-image.ts";
import { type Check, expect, expectEqual } from "../../check.ts";
import { asStored, describe, pathOf } from "../helm/as-stored.ts";
import { Helm } from "../helm/helm.ts";
import { VALUE_SETS, WRONG_VALUES } from "../helm/value-sets.ts";
import { until } from "../observe/until.ts";
import type { ClusterScene } from "../scene.ts";
import { NAMESPACE, SECOND_SGX_NODE, SGX_NODE } from "../scene-names.ts";

/** Nothing is installed in it: where objects have a namespace, it is this one. */
const EMPTY_NAMESPACE = "helm-chart";

/** Whatever comes of it, no release is left. */
async function withHelm<T>(scene: ClusterScene, use: (helm: Helm) => Promise<T>): Promise<T> {
  await scene.up();
  const helm = await Helm.of(scene);
  try {
    return await use(helm);
  } catch (error) {
    await helm.uninstall(NAMESPACE);
    throw error;
  } finally {
    helm.close();
  }
}

const equalRendering: Check<ClusterScene> = {
  name: "the Helm chart and `confcom manifests` make the same objects, as the API server would store them",
  deadline: 300_000,
  run: (scene) =>
    withHelm(scene, async (helm) => {
      await scene.withoutAddon();
      const version = await packageVersion();
      const labels = { "pod-security.kubernetes.io/enforce": "privileged" };
      await scene.apply([{ apiVersion: "v1", kind: "Namespace", metadata: { name: EMPTY_NAMESPACE, labels } }]);
      let compared = 0;
      const kinds = new Set<string>();
      for (const [what, given] of Object.entries(VALUE_SETS)) {
        const { status, stdout, stderr } = await helm.template(given, EMPTY_NAMESPACE);
        expectEqual(status, 0, `${what}: helm template: ${stderr.trim()}`);
        const charted = byName(documents(stdout));
        const printed = byName(renderManifests(manifestValues({ ...given, namespace: EMPTY_NAMESPACE }), { version }));
        expectEqual([...charted.keys()].sort().join(), [...printed.keys()].sort().join(), `${what}: objects`);
        const comparisons = [...printed].map(async ([name, object]) => {
          const ours = await asStored(scene.api, object);
          const chart = await asStored(scene.api, charted.get(name) as KubernetesObject);
          const same = isDeepStrictEqual(ours, chart);
          expect(same, `${what}: ${name}: manifests ${JSON.stringify(ours)}, chart ${JSON.stringify(chart)}`);
        });
        await Promise.all(comparisons);
        for (const { kind } of printed.values()) kinds.add(kind);
        compared += printed.size;
      }
      scene.figures["helm chart"] = { valueSets: Object.keys(VALUE_SETS).length, objects: compared, kinds: kinds.size };
      return `${Object.keys(VALUE_SETS).length} value sets, ${compared} objects of ${kinds.size} kinds, all equal`;
    }),
};

const equalRefusals: Check<ClusterScene> = {
  name: "what `confcom manifests` refuses of values, the chart refuses too",
  deadline: 60_000,
  run: (scene) =>
    withHelm(scene, async (helm) => {
      for (const [given, word] of WRONG_VALUES) {
        const what = JSON.stringify(given);
        let refused = "";
        try {
          manifestValues(given);
        } catch (error) {
          refused = String(error);
        }
        expect(refused.includes(word), `${what}: manifests says ${refused || "nothing"}`);
        const { status, stderr } = await helm.template(given, EMPTY_NAMESPACE);
        expect(status !== 0 && stderr.includes(word), `${what}: helm ends with ${status} and says ${stderr.trim()}`);
      }
      const namespace = await helm.template({ namespace: "elsewhere" }, EMPTY_NAMESPACE);
      expect(namespace.stderr.includes("install with --namespace"), `another namespace: ${namespace.stderr.trim()}`);
      return `${WRONG_VALUES.length + 1} of ${WRONG_VALUES.length + 1} refused by both, the namespace by helm`;
    }),
};

const realRelease: Check<ClusterScene> = {
  name: "helm install to ready quote helpers; helm upgrade leaves what was filled in; helm uninstall leaves no object",
  deadline: 420_000,
  run: (scene) =>
    withHelm(scene, async (helm) => {
      await scene.withoutAddon();
      const values = scene.addonValues();
      const objects = documents(orThrow(await helm.template(values, NAMESPACE), "helm template"));
      await gone(scene, objects, "what another check had installed");
      const began = performance.now();
      const lap = () => `${((performance.now() - began) / 1000).toFixed(1)} s`;
      orThrow(await helm.release("install", values, NAMESPACE), "helm install");
      for (const node of [SGX_NODE, SECOND_SGX_NODE]) await scene.ready(QUOTE_HELPER_NAME, node, 120_000);
      const ready = lap();
      const { value: before } = await until("the webhook's CA is filled in", 30_000, () => filledIn(scene, objects));

      const podAnnotations = { "checks.confcom.dev/release": "2" };
      orThrow(await helm.release("upgrade", { ...values, podAnnotations }, NAMESPACE), "helm upgrade");
      const after = await filledIn(scene, objects);
      for (const [what, content] of before) expectEqual(after.get(what), content, `${what} after helm upgrade`);
      for (const node of [SGX_NODE, SECOND_SGX_NODE]) {
        await until("the helper is the upgraded one", 120_000, async () => {
          const { metadata } = await scene.podOf(QUOTE_HELPER_NAME, node);
          expectEqual(metadata.annotations?.["checks.confcom.dev/release"], "2", "annotation of the release");
        });
        await scene.ready(QUOTE_HELPER_NAME, node, 120_000);
      }
      const upgraded = lap();

      orThrow(await helm.uninstall(NAMESPACE), "helm uninstall");
      await gone(scene, objects, "every object of the release");
      const took = lap();
      await unlabel(scene);
      return (
        `${objects.length} objects; helpers on two nodes ready after ${ready}, upgraded after ${upgraded} with ` +
        `${before.size} contents kept, all gone after ${took}`
      );
    }),
};

/** Three facts about the chart, for a cluster on which the add-on is not enabled. */
export const helmChart: readonly Check<ClusterScene>[] = [equalRendering, equalRefusals, realRelease];

async function gone(scene: ClusterScene, objects: readonly KubernetesObject[], what: string): Promise<void> {
  await until(`${what} is gone`, 90_000, async () => {
    for (const object of objects) {
      const { status } = await scene.api.send("GET", pathOf(object));
      expectEqual(status, 404, describe(object));
    }
    const pods = await scene.api.pods(`${PART_OF_LABEL}=confcom`, NAMESPACE);
    expectEqual(pods.length, 0, "pods");
  });
}

/** The labels of nodes, which no `helm uninstall` takes away: the next check's nodes are to be as new. */
async function unlabel(scene: ClusterScene): Promise<void> {
  const labels = Object.fromEntries(OWN_LABELS.map((name) => [name, null]));
  for (const node of [SGX_NODE, SECOND_SGX_NODE]) {
    await scene.api.patch(`/api/v1/nodes/${node}`, { metadata: { labels } });
  }
}

function orThrow({ status, stdout, stderr }: { status: number; stdout: string; stderr: string }, what: string): string {
  expectEqual(status, 0, `${what}: ${stderr.trim().slice(-2000)}`);
  return stdout;
}

function documents(yaml: string): readonly KubernetesObject[] {
  // By the rules of YAML 1.1, as helm reads it.
  return parseAllDocuments(yaml, { version: "1.1" })
    .map((document) => document.toJS() as KubernetesObject | null)
    .filter((object) => object !== null);
}

function byName(objects: readonly KubernetesObject[]): ReadonlyMap<string, KubernetesObject> {
  return new Map(objects.map((object) => [describe(object), object]));
}

interface Filled extends KubernetesObject {
  readonly data?: object;
  readonly webhooks?: readonly { readonly clientConfig: { readonly caBundle?: string } }[];
}

/** What the add-on's own programs wrote into objects that came empty: Secrets, ConfigMaps, the webhooks' caBundle. */
async function filledIn(
  scene: ClusterScene,
  objects: readonly KubernetesObject[],
): Promise<ReadonlyMap<string, string>> {
  const contents = new Map<string, string>();
  for (const object of objects) {
    if (!["Secret", "ConfigMap", "MutatingWebhookConfiguration"].includes(object.kind)) continue;
    const { data, webhooks } = await scene.api.get<Filled>(pathOf(object));
    const content = webhooks === undefined ? data : webhooks.map(({ clientConfig }) => clientConfig.caBundle);
    const filled = Array.isArray(content) ? content.every((one) => one !== undefined) : content !== undefined;
    expect(filled, `${describe(object)} is empty`);
    contents.set(describe(object), JSON.stringify(content));
  }
  expect(contents.size >= 4, `only ${[...contents.keys()].join(", ")}`);
  return contents;
}
